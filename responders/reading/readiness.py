"""Readiness: what both apps found of themselves last, and the stage that each service has reached.

Beside the flow: people and `make doctor` ask, by the API or by its page.
"""

from typing import Any

from shared.domain.readiness.check import Check, worst
from shared.domain.readiness.report import Report
from shared.domain.readiness.stage import Standing, stage_of_all
from shared.domain.views.http import Answer, Request, json_answer
from shared.domain.views.readiness_page import present_readiness
from shared.protocol.door.show_page import page, show_page
from shared.protocol.readiness.standing import read_reports, stages
from shared.services import Services


async def show_readiness(services: Services, _request: Request) -> Answer:
    """The last report of each app and all stages. Raises Unavailable."""
    reports = await read_reports(services)
    standings = stages(services, reports)
    return json_answer(
        {
            "verdict": worst(tuple(check for report in reports for check in report.checks)),
            "stage": stage_of_all(standings),
            "apps": [_report(report) for report in reports],
            "services": [_standing(one) for one in standings],
        }
    )


@page
async def show_readiness_page(services: Services, request: Request) -> Answer:
    """The same for people: what is not as it should be first, and what to do about it."""
    reports = await read_reports(services)
    view = present_readiness(
        reports,
        stages(services, reports),
        services.catalog.services,
        services.settings.readiness_every_s,
        services.now(),
    )
    return show_page(services, request, "readiness.html", view=view)


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
