"""The catalog: a folder of reviewed files, one a service and the firm's calendar, as frozen types.

A file with a mistake yields its mistakes and no service; all other services go on. What one file
cannot know is checked here: an endpoint that two services own, a dependency that nobody describes.
"""

import re
from collections import Counter
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

import msgspec

from shared.adapters.catalog_calendar import CALENDAR, read_calendar
from shared.adapters.catalog_fields import Report
from shared.adapters.catalog_service import read_service
from shared.adapters.catalog_tree import BrokenYaml, read_documents
from shared.domain.catalog import Catalog, CatalogMistake, Service
from shared.errors import Misconfigured

MOST_BYTES = 262_144  # of a broken file
_ARM_ID = re.compile(r"/subscriptions/[^\s'\"\],}#]+", re.IGNORECASE)


def load_catalog(folder: Path) -> Catalog:
    """Read every *.yaml of the folder. Raises Misconfigured where there is no such folder."""
    if not folder.is_dir():
        raise Misconfigured(f"the catalog folder {folder} does not exist")
    calendar, mistakes = read_calendar(folder)
    services: dict[str, Service] = {}
    names: list[str] = []
    for path in sorted(folder.glob("*.yaml")):
        if path.name == CALENDAR:
            continue
        report = Report(path.name, path.stem)
        service = _read_file(path, report)
        names.append(path.stem)
        mistakes.extend(report.mistakes)
        if service is not None:
            services[service.name] = service
    mistakes.extend(_shared_targets(services))
    mistakes.extend(_unknown_dependencies(services, names))
    mistakes.sort(key=lambda mistake: (mistake.file, mistake.line, mistake.field))
    broken = {mistake.service for mistake in mistakes}
    sound = {name: service for name, service in services.items() if name not in broken}
    return Catalog(
        services=_with_dependents(sound),
        mistakes=tuple(mistakes),
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


def _shared_targets(services: Mapping[str, Service]) -> list[CatalogMistake]:
    """Find targets with two owners. Both are mistaken: which one is right would be a guess."""
    owned = Counter(target.id for service in services.values() for target in service.targets)
    return [
        _mistake(service, "spec.targets", f"{target.id} is owned twice", "one owner a target")
        for service in services.values()
        for target in service.targets
        if owned[target.id] > 1
    ]


def _unknown_dependencies(
    services: Mapping[str, Service], names: list[str]
) -> list[CatalogMistake]:
    mistakes = []
    for service in services.values():
        needed = {one.name for one in service.dependencies if one.kind == "service"}
        for name in sorted(needed - set(names) | needed & {service.name}):
            near = get_close_matches(name, names, n=1)
            hint = f"did you mean {near[0]}? " if near and near[0] != name else ""
            problem = f"no other service {name} in the catalog"
            allowed = f"{hint}the name of a file beside this one"
            mistakes.append(_mistake(service, "spec.dependencies", problem, allowed))
    return mistakes


def _mistake(service: Service, field: str, problem: str, allowed: str) -> CatalogMistake:
    return CatalogMistake(
        file=service.file,
        line=1,
        field=field,
        problem=problem,
        allowed=allowed,
        service=service.name,
    )


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
