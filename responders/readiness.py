"""Readiness: what both apps found of themselves last, and the stage that each service has reached.

Beside the flow: people and `make doctor` ask.
"""

from typing import Any

from shared.domain.catalog import Service
from shared.domain.readiness.check import Check, worst
from shared.domain.readiness.report import Report
from shared.domain.readiness.stage import Facts, Standing, stage_of_all, stand
from shared.domain.views.http import Answer, Request, json_answer
from shared.protocol.readiness import read_report
from shared.services import Services

APPS = ("responder", "executor")


async def show_readiness(services: Services, _request: Request) -> Answer:
    """The last report of each app and all stages. Raises Unavailable."""
    stored = [await read_report(services, app) for app in APPS]
    reports = [one.value for one in stored if one is not None]
    standings = stages(services, reports)
    return json_answer(
        {
            "verdict": worst(tuple(check for report in reports for check in report.checks)),
            "stage": stage_of_all(standings),
            "apps": [_report(report) for report in reports],
            "services": [_standing(one) for one in standings],
        }
    )


def stages(services: Services, reports: list[Report]) -> list[Standing]:
    """Where every service of the catalog stands, by what the apps found."""
    checks = [check for report in reports for check in report.checks]
    exercised = {name: at for report in reports for name, at in report.exercised.items()}

    def facts(service: Service) -> Facts:
        return Facts(
            service=service,
            now=services.now(),
            checks=tuple(check for check in checks if check.service == service.name),
            is_judged=services.golden_of(service.name) is not None,
            rolled_back_at=exercised.get(service.name),
        )

    return [stand(facts(service)) for service in services.catalog.services.values()]


def _report(report: Report) -> dict[str, Any]:
    return {
        "app": report.app,
        "at": report.at,
        "verdict": report.verdict,
        "checks": [_check(one) for one in report.checks],
    }


def _check(check: Check) -> dict[str, str]:
    return {
        "area": check.area,
        "name": check.name,
        "service": check.service,
        "verdict": check.verdict,
        "sentence": check.sentence,
        "remedy": check.remedy,
    }


def _standing(one: Standing) -> dict[str, Any]:
    return {
        "service": one.service,
        "stage": one.stage,
        "next": one.next,
        "missing": [
            {"what": lack.what, "remedy": lack.remedy, "unknown": lack.unknown}
            for lack in one.missing
        ],
    }
