"""The golden cases of a service: one reviewed file beside the catalog, `golden/<service>.yaml`.

Read like the catalog's own files: every mistake with its line, and a file with a mistake yields no
cases, so that the health check says that it knows nothing.
"""

from pathlib import Path

from shared.adapters.catalog_fields import DAY, MINUTE, NAME, Section
from shared.adapters.catalog_report import Report
from shared.adapters.catalog_tree import BrokenYaml, read_documents
from shared.domain.health.golden import KINDS, GoldenCase, GoldenCases

FOLDER = "golden"
LEAST_CASES = 20
MOST_CASES = 200
_WORDS = ".{1,200}"


def read_golden(catalog: Path, service: str) -> tuple[GoldenCases | None, Report]:
    """Read the file of a service; None where there is none, or where the report has mistakes."""
    path = catalog / FOLDER / f"{service}.yaml"
    report = Report(f"{FOLDER}/{path.name}", service)
    if not path.is_file():
        return None, report
    try:
        documents = read_documents(path)
    except BrokenYaml as error:
        report.note(error.line, "", error.problem)
        return None, report
    if len(documents) != 1:
        report.note(1, "", f"{len(documents)} documents", "one document of kind GoldenCases")
        return None, report
    cases = _read(Section(report, documents[0]))
    return (None if report.mistakes else cases), report


def _read(head: Section) -> GoldenCases:
    head.one_of("apiVersion", ("backstop/v1",))
    head.one_of("kind", ("GoldenCases",))
    metadata, spec = head.section("metadata"), head.section("spec")
    within_ms = spec.whole("within_ms", 1, 60_000, 2_000)
    schema = _read_schema(spec)
    cases = tuple(_read_case(one, within_ms, schema) for one in spec.sections("cases"))
    read = GoldenCases(
        service=metadata.text("name", pattern=NAME),
        cases=cases,
        every_s=spec.seconds("every", MINUTE, DAY, 5 * MINUTE),
        pass_share=spec.number("pass_share", 0.5, 1, 0.95),
        concurrency=spec.whole("concurrency", 1, 10, 4),
    )
    _check(spec, metadata, read)
    for section in (metadata, spec, head):
        section.close()
    return read


def _check(spec: Section, metadata: Section, read: GoldenCases) -> None:
    if read.service != spec.report.service:
        metadata.mistake("name", "is not the file's name", spec.report.service)
    if not LEAST_CASES <= len(read.cases) <= MOST_CASES:
        allowed = f"from {LEAST_CASES} to {MOST_CASES}: fewer say nothing, more cost too much"
        spec.mistake("cases", f"{len(read.cases)} cases", allowed)
    if read.cases and all(case.refused for case in read.cases):
        spec.mistake("cases", "nothing is to be answered", "cases to probe the versions with, too")
    names = [case.name for case in read.cases]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        spec.mistake("cases", f"{twice[0]} occurs twice", "a name for each case")


def _read_case(case: Section, within_ms: int, schema: dict[str, str]) -> GoldenCase:
    refused = case.flag("refused", default=False)
    read = GoldenCase(
        name=case.text("name", pattern=NAME),
        request=case.anything("request"),
        contains=case.texts("contains", pattern=_WORDS),
        lacks=case.texts("lacks", pattern=_WORDS),
        schema={} if refused else schema,
        refused=refused,
        within_ms=case.whole("within_ms", 1, 60_000, within_ms),
    )
    if not refused and not read.contains:
        case.mistake("contains", "is missing", "what a right answer says; or refused: true")
    case.close()
    return read


def _read_schema(spec: Section) -> dict[str, str]:
    if not spec.has("schema"):
        return {}
    section = spec.section("schema")
    read = {name: section.one_of(name, KINDS) for name in section.names()}
    section.close()
    return read
