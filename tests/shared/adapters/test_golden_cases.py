"""Golden cases: every shipped file is in order, and a mistake is told with its line."""

from pathlib import Path

import pytest

from infra.local.played import CATALOG, SECOND
from shared.adapters.catalog import load_catalog
from shared.adapters.golden_cases import FOLDER, LEAST_CASES, read_golden
from shared.domain.catalog import TargetKind

SHIPPED = [
    (CATALOG, service.name)
    for service in load_catalog(CATALOG).services.values()
    if any(target.kind is TargetKind.ONLINE_ENDPOINT for target in service.targets)
]
HEAD = """apiVersion: backstop/v1
kind: GoldenCases
metadata: {name: quotes}
spec:
"""


@pytest.mark.parametrize(("folder", "service"), [*SHIPPED, (SECOND.parent, SECOND.stem)])
def test_every_endpoint_has_enough_cases_that_are_in_order(folder: Path, service: str) -> None:
    cases, report = read_golden(folder, service)

    assert report.mistakes == []
    assert cases is not None
    assert len(cases.cases) >= LEAST_CASES
    assert any(case.refused for case in cases.cases)
    assert all(case.contains and case.schema for case in cases.cases if not case.refused)


def test_no_file_lies_there_for_nobody() -> None:
    known = {f"{name}.yaml" for _, name in SHIPPED}
    assert {path.name for path in (CATALOG / FOLDER).iterdir()} <= known


def cases_of(count: int, **one: str) -> str:
    usual = {"request": "{a: [1, {b: text}]}", "contains": "[x]"} | one
    said = ", ".join(f"{name}: {value}" for name, value in usual.items() if value)
    return "  cases:\n" + "".join(f"    - {{name: c{n}, {said}}}\n" for n in range(count))


def read(folder: Path, text: str) -> list[tuple[int, str, str]]:
    (folder / FOLDER).mkdir(exist_ok=True)
    (folder / FOLDER / "quotes.yaml").write_text(text)
    cases, report = read_golden(folder, "quotes")
    assert (cases is None) is bool(report.mistakes)
    return [(one.line, one.field, one.problem) for one in report.mistakes]


def test_what_a_file_says_is_read(tmp_path: Path) -> None:
    spec = "  every: 10m\n  pass_share: 0.9\n  within_ms: 300\n  schema: {a: number}\n"
    assert read(tmp_path, HEAD + spec + cases_of(20)) == []
    cases, _ = read_golden(tmp_path, "quotes")
    assert cases is not None
    assert (cases.every_s, cases.pass_share) == (600, 0.9)
    assert cases.cases[0].request == {"a": [1, {"b": "text"}]}
    assert (cases.cases[0].schema, cases.cases[0].within_ms) == ({"a": "number"}, 300)


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        (HEAD + cases_of(19), (5, "spec.cases", "19 cases")),
        (HEAD + cases_of(201), (5, "spec.cases", "201 cases")),
        (
            HEAD + cases_of(20).replace("c19", "c18"),
            (5, "spec.cases", "c18 occurs twice"),
        ),
        (HEAD + cases_of(20, contains=""), (6, "spec.cases[0].contains", "is missing")),
        (
            HEAD + cases_of(20, request="[]"),
            (6, "spec.cases[0].request", "a list or mapping is no mapping"),
        ),
        (
            HEAD + cases_of(20, contains="", refused="true"),
            (5, "spec.cases", "nothing is to be answered"),
        ),
        (HEAD + cases_of(20, wihtin_ms="5"), (6, "spec.cases[0].wihtin_ms", "is unknown")),
        (
            HEAD + "  schema: {a: date}\n" + cases_of(20),
            (5, "spec.schema.a", "'date' is unknown"),
        ),
        (
            HEAD.replace("quotes", "other") + cases_of(20),
            (3, "metadata.name", "is not the file's name"),
        ),
        ("a: [", (2, "", "not YAML: did not find expected node content")),
        (f"{HEAD}{cases_of(20)}---\n{HEAD}", (1, "", "2 documents")),
    ],
)
def test_a_mistake_is_told_with_its_line(
    tmp_path: Path, text: str, mistake: tuple[int, str, str]
) -> None:
    assert mistake in read(tmp_path, text)


def test_a_service_without_a_file_has_none(tmp_path: Path) -> None:
    cases, report = read_golden(tmp_path, "quotes")
    assert (cases, report.mistakes) == (None, [])
