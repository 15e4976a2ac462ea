"""Standing: what both apps found of themselves last, and the stage that every service has reached.

Beside the flow, read by the API, the console and `make doctor`. What passed too long ago counts as
unknown here, and so it does for the stages.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from shared.domain.catalog import Service
from shared.domain.readiness.age import aged
from shared.domain.readiness.check import Check
from shared.domain.readiness.report import APPS, Report
from shared.domain.readiness.stage import Facts, Standing, stand
from shared.protocol.readiness.report import read_report
from shared.services import Services


async def read_reports(services: Services) -> list[Report]:
    """The last report of each app that has looked, as it counts now. Raises Unavailable."""
    stored = await asyncio.gather(*(read_report(services, app) for app in APPS))
    every_s, now = services.settings.readiness_every_s, services.now()
    return [aged(one.value, every_s, now) for one in stored if one is not None]


def stages(services: Services, reports: Iterable[Report]) -> list[Standing]:
    """Where every service of the catalog stands, by what the apps found."""
    exercised = dict[str, datetime]()
    checks = defaultdict[str, list[Check]](list)
    for report in reports:
        exercised |= report.exercised
        for check in report.checks:
            checks[check.service].append(check)

    def facts(service: Service) -> Facts:
        return Facts(
            service=service,
            now=services.now(),
            checks=tuple(checks[service.name]),
            is_judged=services.golden_of(service.name) is not None,
            rolled_back_at=exercised.get(service.name),
        )

    return [stand(facts(service)) for service in services.catalog.services.values()]
