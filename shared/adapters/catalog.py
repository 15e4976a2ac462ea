"""The catalog: a folder of reviewed files, one a service and the firm's calendar, as frozen types.

A file with a mistake yields its mistakes and no service; all other services go on. What one file
cannot know is checked here: an endpoint that two services own, a dependency that nobody describes.
"""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

import msgspec

from shared.adapters.catalog_calendar import CALENDAR, read_calendar
from shared.adapters.catalog_report import Mentioned, Report
from shared.adapters.catalog_service import read_service
from shared.adapters.catalog_tree import BrokenYaml, read_documents
from shared.domain.catalog import Catalog, CatalogMistake, Service
from shared.domain.freezes.freeze import Calendar
from shared.errors import Misconfigured

MOST_BYTES = 262_144  # of a broken file
_ARM_ID = re.compile(r"/subscriptions/[^\s'\"\],}#]+", re.IGNORECASE)


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """A folder as it was read: the catalog, and what each file's reading found besides."""

    catalog: Catalog
    reports: tuple[Report, ...]


def load_catalog(folder: Path) -> Catalog:
    """Read every *.yaml of the folder. Raises Misconfigured where there is no such folder."""
    return read_catalog(folder).catalog


def read_catalog(folder: Path) -> Reading:
    """Read every *.yaml of the folder, and keep what a lint wants to know of each."""
    if not folder.is_dir():
        raise Misconfigured(f"the catalog folder {folder} does not exist")
    calendar, calendar_mistakes = read_calendar(folder)
    reports: dict[str, Report] = {}
    services: dict[str, Service] = {}
    for path in sorted(folder.glob("*.yaml")):
        if path.name == CALENDAR:
            continue
        reports[path.stem] = report = Report(path.name, path.stem)
        service = _read_file(path, report)
        if service is not None:
            services[service.name] = service
    sound = [reports[name] for name in services]
    _check_targets(sound)
    _check_dependencies(sound, list(reports))
    mistakes = [
        *calendar_mistakes,
        *(one for report in reports.values() for one in report.mistakes),
    ]
    catalog = _catalog(folder, services, mistakes, calendar)
    return Reading(catalog=catalog, reports=tuple(reports.values()))


def _catalog(
    folder: Path,
    services: Mapping[str, Service],
    mistakes: list[CatalogMistake],
    calendar: Calendar,
) -> Catalog:
    """All services whose files are in order by themselves and beside one another."""
    broken = {mistake.service for mistake in mistakes}
    sound = {name: service for name, service in services.items() if name not in broken}
    return Catalog(
        services=_with_dependents(sound),
        mistakes=tuple(sorted(mistakes, key=lambda one: (one.file, one.line, one.field))),
        calendar=calendar,
        broken_targets=_named_targets(folder, broken),
    )


def _named_targets(folder: Path, broken: set[str]) -> dict[str, str]:
    """The ARM ids in broken files, found as text: whoever owns them must not seem to be nobody."""
    found: dict[str, str] = {}
    for name in sorted(broken):
        path = folder / f"{name}.yaml"
        text = path.read_bytes()[:MOST_BYTES].decode("utf-8", "replace") if path.exists() else ""
        found |= {target.rstrip("/").lower(): name for target in _ARM_ID.findall(text)}
    return found


def _read_file(path: Path, report: Report) -> Service | None:
    try:
        return read_service(report, read_documents(path))
    except BrokenYaml as error:
        report.note(error.line, "", error.problem)
        return None


def _check_targets(reports: list[Report]) -> None:
    """Find targets with two owners. Both are mistaken: which one is right would be a guess."""
    found = [(report, one) for report in reports for one in report.mentioned(Mentioned.TARGET)]
    owners: dict[str, list[str]] = {}
    for report, one in found:
        owners.setdefault(one.text, []).append(report.file)
    for report, one in found:
        if len(owners[one.text]) > 1:
            problem = f"{one.text} is owned twice: {', '.join(owners[one.text])}"
            report.note(one.line, one.field, problem, "one owner a target")


def _check_dependencies(reports: list[Report], names: list[str]) -> None:
    """Find dependencies on services that no file describes, and on oneself."""
    for report in reports:
        for one in report.mentioned(Mentioned.DEPENDENCY):
            if one.text in names and one.text != report.service:
                continue
            near = get_close_matches(one.text, names, n=1)
            hint = f"did you mean {near[0]}? " if near and near[0] != one.text else ""
            problem = f"no other service {one.text} in the catalog"
            report.note(one.line, one.field, problem, f"{hint}the name of a file beside this one")


def _with_dependents(services: Mapping[str, Service]) -> dict[str, Service]:
    dependents: dict[str, list[str]] = {name: [] for name in services}
    for service in services.values():
        for one in service.dependencies:
            if one.kind == "service" and one.name in dependents:
                dependents[one.name].append(service.name)
    return {
        name: msgspec.structs.replace(service, dependents=tuple(sorted(dependents[name])))
        for name, service in services.items()
    }
