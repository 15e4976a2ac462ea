"""The firm's calendar: one file of the catalog that is no service's, with its change freezes.

Part of reading the catalog (`shared.adapters.catalog`). A firm without such a file has no freezes
but those of its services; one whose file has a mistake has frozen everything until it is mended.
"""

from pathlib import Path

from shared.adapters.catalog_fields import Section
from shared.adapters.catalog_report import Report
from shared.adapters.catalog_tree import BrokenYaml, Node, read_documents
from shared.adapters.catalog_windows import read_freezes, read_time_zone
from shared.domain.catalog import CatalogMistake
from shared.domain.coverage import EVERYTHING
from shared.domain.freezes.freeze import Calendar

CALENDAR = "calendar.yaml"


def read_calendar(folder: Path) -> tuple[Calendar, list[CatalogMistake]]:
    """Read the calendar of a catalog's folder, and what is wrong in it. Never raises."""
    path = folder / CALENDAR
    if not path.exists():
        return Calendar(), []
    report = Report(CALENDAR, EVERYTHING)
    try:
        calendar = _read(report, read_documents(path))
    except BrokenYaml as error:
        report.note(error.line, "", error.problem)
        calendar = Calendar()
    if report.mistakes:
        return Calendar(zone=calendar.zone or "UTC", known=False), report.mistakes
    return calendar, []


def _read(report: Report, documents: list[Node]) -> Calendar:
    if len(documents) != 1:
        report.note(1, "", f"has {len(documents)} documents", "one document of kind Calendar")
        return Calendar()
    head = Section(report, documents[0])
    head.one_of("apiVersion", ("backstop/v1",))
    head.one_of("kind", ("Calendar",))
    spec = head.section("spec")
    zone = read_time_zone(spec)
    calendar = Calendar(windows=read_freezes(spec, zone, EVERYTHING), zone=zone)
    for section in (spec, head):
        section.close()
    return calendar
