"""`python -m infra.lint_catalog [FOLDER ...]`: all that is to be mended in a catalog.

What keeps a service out is the loader's to find, and is told here in its words. Beside it stand the
loader's advice, what Microsoft's analyser finds in the queries, and what an alert rule made of them
could not ask. Any line is a reason to fail but those of `later`, which may wait until its service
is to act.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from infra.local.logs.analyser import Analysis, analyse
from shared.adapters.catalog import Reading, read_catalog
from shared.adapters.catalog_report import Mention, Mentioned, Report
from shared.adapters.golden_cases import FOLDER as GOLDEN
from shared.adapters.golden_cases import LEAST_CASES, read_golden
from shared.domain.catalog import CatalogMistake, Mode, Service, TargetKind
from shared.domain.detection.limits import mistakes
from shared.domain.detection.rule import AlertRule
from shared.domain.detection.rules import rules_of
from shared.errors import Misconfigured
from shared.protocol.acting.probing import NOTHING_TO_ASK

FOLDERS = (Path("shared/catalog"), Path("infra/local/catalog"))

_COUNTED = (
    "| summarize sumif(ItemCount, true) by AppRoleName, TimeGenerated,"
    ' tostring(Properties["backstop.probe"])'
)  # what every objective's query asks of the rows, whatever it counts
_NEAR = ' near "'
_ENOUGH = f"{LEAST_CASES} golden cases for each endpoint"


def main(folders: Sequence[str]) -> int:
    """Print every complaint about the folders; 0 where there is none."""
    wanted = [Path(name) for name in folders] or FOLDERS
    try:
        readings = {folder: read_catalog(folder) for folder in wanted}
        answers = analysed(readings.values())
    except Misconfigured as error:
        _say(str(error))
        return 1
    return max(_tell(folder, reading, answers) for folder, reading in readings.items())


def _tell(folder: Path, reading: Reading, answers: Mapping[str, Analysis]) -> int:
    complaints = [*complain(reading, answers), *bad_cases(folder, reading)]
    advice = later(folder, reading)
    for one in [*complaints, *advice]:
        _say(line_of(folder, one))
    _say(f"{folder}: {_summary(reading, len(complaints), len(advice))}")
    return min(len(complaints), 1)


def complain(reading: Reading, answers: Mapping[str, Analysis]) -> list[CatalogMistake]:
    """All that is wrong in a folder, in the order of its files and lines."""
    found = [*told(reading), *bad_queries(reading.reports, answers), *unfit_rules(reading)]
    return sorted(found, key=lambda one: (one.file, one.line, one.field))


def analysed(readings: Iterable[Reading]) -> dict[str, Analysis]:
    """What the analyser says of every query; many services ask the same, so each text once."""
    reports = [report for reading in readings for report in reading.reports]
    texts = [one.text for report in reports for one in report.mentioned(Mentioned.QUERY)]
    return analyse({text: f"{text}\n{_COUNTED}" for text in texts})


def told(reading: Reading) -> list[CatalogMistake]:
    """What the loader says of a folder: mistakes that keep services out, and advice."""
    advice = [one for report in reading.reports for one in report.advice]
    return [*reading.catalog.mistakes, *advice]


def line_of(folder: Path, complaint: CatalogMistake) -> str:
    """One complaint as one line: file:line: field: problem (allowed: ...)."""
    field = f" {complaint.field}:" if complaint.field else ""
    allowed = f" (allowed: {complaint.allowed})" if complaint.allowed else ""
    place = f"{folder / complaint.file}:{complaint.line}:"
    return f"{place}{field} {complaint.problem}{allowed}"


def bad_queries(reports: Iterable[Report], answers: Mapping[str, Analysis]) -> list[CatalogMistake]:
    """What the analyser rejects, where it is asked first: good repeats total and its mistakes."""
    asked = [(report, one) for report in reports for one in report.mentioned(Mentioned.QUERY)]
    return [
        CatalogMistake(
            file=report.file,
            line=one.line,
            field=one.field,
            problem=error,
            allowed="KQL that Log Analytics takes",
            service=report.service,
        )
        for report, one in asked
        for error in _errors(answers[one.text])
        if not any(_said_of(error, answers[text]) for text in _narrowed(report, one))
    ]


def _said_of(error: str, answer: Analysis) -> bool:
    """Whether the analyser says the same of another query; it ends with the text near by."""
    said, _, _ = error.partition(_NEAR)
    return any(other.partition(_NEAR)[0] == said for other in _errors(answer))


def _narrowed(report: Report, query: Mention) -> list[str]:
    """The other queries of the file that this one goes on from."""
    texts = (one.text for one in report.mentioned(Mentioned.QUERY))
    return [text for text in texts if text != query.text and query.text.startswith(text)]


def unfit_rules(reading: Reading) -> list[CatalogMistake]:
    """Which of the alert rules that a file makes would be refused by Azure Monitor, and why."""
    reports = {report.service: report for report in reading.reports}
    return [
        _unfit(reports[service.name], rule, said)
        for service in reading.catalog.services.values()
        for rule in rules_of(service)
        for said in mistakes(rule)
    ]


def _unfit(report: Report, rule: AlertRule, said: str) -> CatalogMistake:
    """It is told where the objective says what it counts; a rule of none is the file's."""
    named = (one for one in report.mentioned(Mentioned.OBJECTIVE) if one.text == rule.slo)
    place = next(named, None)
    return CatalogMistake(
        file=report.file,
        line=place.line if place else 1,
        field=place.field if place else "",
        problem=f"the alert rule {rule.name}: {said}",
        allowed="what a log alert rule can ask",
        service=report.service,
    )


def bad_cases(folder: Path, reading: Reading) -> list[CatalogMistake]:
    """What is wrong with the golden cases beside the files, and cases of no service at all."""
    known = {report.service for report in reading.reports}
    found = [one for service in _unjudged(folder, reading) for one in _unasked(reading, service)]
    for path in sorted((folder / GOLDEN).glob("*.yaml")):
        _, report = read_golden(folder, path.stem)
        if path.stem not in known:
            report.note(1, "", "cases of no service", "the name of a file in the folder above")
        found += report.mistakes
    return found


def later(folder: Path, reading: Reading) -> list[CatalogMistake]:
    """Golden cases that are wanted before a service acts: until then it can be probed without."""
    return [
        msgspec.structs.replace(one, problem=f"{one.problem}; wanted before its mode is approve")
        for service in _unjudged(folder, reading, waiting=True)
        for one in _unasked(reading, service)
    ]


def _unjudged(folder: Path, reading: Reading, *, waiting: bool = False) -> list[Service]:
    """The services without a file of golden cases: those that may wait for it, or the others."""
    return [
        service
        for name, service in reading.catalog.services.items()
        if not (folder / GOLDEN / f"{name}.yaml").is_file() and _may_wait(service) is waiting
    ]


def _may_wait(service: Service) -> bool:
    return bool(service.probe) and service.mode in (Mode.OBSERVE, Mode.RECOMMEND)


def _unasked(reading: Reading, service: Service) -> list[CatalogMistake]:
    """The online endpoints of a service without golden cases, where they are named."""
    report = next(one for one in reading.reports if one.service == service.name)
    return [
        CatalogMistake(
            file=report.file,
            line=one.line,
            field=one.field,
            problem="nobody asks the endpoint what it should know" + _unprobed(service),
            allowed=f"{GOLDEN}/{service.name}.yaml with at least {_ENOUGH}",
            service=service.name,
        )
        for one in report.mentioned(Mentioned.TARGET)
        if one.text in _endpoints(service)
    ]


def _unprobed(service: Service) -> str:
    """What else there is nothing to ask for: a request of the file's own would do for that."""
    return "" if service.probe else f", and it cannot be probed: {NOTHING_TO_ASK}"


def _endpoints(service: Service) -> list[str]:
    return [one.id for one in service.targets if one.kind is TargetKind.ONLINE_ENDPOINT]


def _errors(answer: Analysis) -> list[str]:
    return list(dict.fromkeys(error.replace("\n", " ") for error in answer.errors))


def _summary(reading: Reading, complaints: int, waiting: int) -> str:
    objectives = sum(len(service.slos) for service in reading.catalog.services.values())
    count = f"{len(reading.reports)} services, {objectives} objectives"
    verdict = f"{complaints} to mend" if complaints else "in order"
    return f"{count}: {verdict}" + (f", {waiting} for later" if waiting else "")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
