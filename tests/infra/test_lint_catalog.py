"""The lint of the catalog: each complaint names file, line and field; a sound folder has none."""

from pathlib import Path

import pytest

from infra.lint_catalog import (
    analysed,
    bad_cases,
    complain,
    later,
    line_of,
    main,
    told,
    unfit_rules,
)
from infra.local.logs.analyser import missing
from shared.adapters.catalog import read_catalog
from tests.shared.adapters.test_catalog import ENDPOINT, GOOD, HEAD, SLO
from tests.shared.adapters.test_catalog_objectives import INLINE
from tests.shared.adapters.test_catalog_objectives import line_of as number_of

ROOT = Path(__file__).parents[2]
SOUND = f"{HEAD}  runbook: https://runbooks.example/quotes\n{SLO}{INLINE}"
ALERT = "spec.alertPolicies[0].spec.conditions[0]"

pytestmark = pytest.mark.usefixtures("kept_analyser")
analysing = pytest.mark.skipif(bool(missing()), reason=missing())


def told_of(folder: Path) -> list[str]:
    return [line_of(folder, one) for one in told(read_catalog(folder))]


def write(folder: Path, text: str, name: str = "quotes") -> None:
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    "row",
    [
        ("owner: travel", "ownr: travel", "  ownr:", "spec.ownr", "is unknown",
         "did you mean owner? "),
        ("  owner:", "  probes: 1\n  owner:", "  probes:", "spec.probes", "is unknown",
         "did you mean probe? "),
        ("  owner:", "  polcy: 1\n  owner:", "  polcy:", "spec.polcy", "is unknown",
         "did you mean policy? "),
        ("threshold: 1,", "threshold: 201,", "              condition: {",
         f"{ALERT}.spec.condition.threshold", "201 can never be reached", "at most 200"),
        (', annotations: {backstop/minimum-requests: "500"}', "", "name: slow-burn",
         f"{ALERT}.metadata.annotations", "is missing", ""),
        ('minimum-requests: "500"', 'minimum-requests: "50"', '"50"',
         f"{ALERT}.metadata.annotations.backstop/minimum-requests", "one bad request of 50 would",
         '"201" or more'),
        ('minimum-requests: "500"', 'minimum-requests: "500", backstop/short-window: 3d', '"500"',
         f"{ALERT}.metadata.annotations.backstop/short-window", "3d is not the shorter one",
         "a window shorter than 3d"),
        ("  owner: travel-platform\n", "", "spec:", "spec.owner", "is missing", ""),
        ("    - {name: Travel lead, role: commander, pager: travel-lead}\n", "", "  contacts:",
         "spec.contacts", "fewer than two", "two or more"),
        ("  rto: 30m\n", "", "spec:", "spec.rto", "is missing", ""),
        ("  rpo: 0\n", "", "spec:", "spec.rpo", "is missing", ""),
        ("  runbook: https://runbooks.example/quotes\n", "", "spec:", "spec.runbook", "is missing",
         "an https link"),
    ],
)  # fmt: skip
def test_a_complaint_says_where_and_what_would_be_right(
    tmp_path: Path, row: tuple[str, str, str, str, str, str]
) -> None:
    old, new, place, field, problem, allowed = row
    assert old in SOUND
    text = SOUND.replace(old, new, 1)
    write(tmp_path, text)
    start = f"{tmp_path}/quotes.yaml:{number_of(text, place)}: {field}: "
    (line,) = [one for one in told_of(tmp_path) if one.startswith(start)]
    assert problem in line
    assert f"(allowed: {allowed}" in line if allowed else "allowed" not in line


def test_an_endpoint_that_two_files_own_is_told_of_both(tmp_path: Path) -> None:
    other = SOUND.replace("quotes", "offers").replace("Endpoints/offers", "Endpoints/quotes")
    write(tmp_path, SOUND)
    write(tmp_path, other, "offers")
    said = f"spec.targets[0].id: {ENDPOINT.lower()} is owned twice: offers.yaml, quotes.yaml"
    assert told_of(tmp_path) == [
        f"{tmp_path}/{file}.yaml:16: {said} (allowed: one owner a target)"
        for file in ("offers", "quotes")
    ]


@analysing
def test_a_query_that_the_analyser_rejects_is_told_where_it_stands(tmp_path: Path) -> None:
    wrong = {
        "column": SOUND.replace("where Success", "where Sucess"),
        "kind": SOUND.replace("where Success", "where DurationMs"),
        "nobodys": SOUND.replace("AppRequests", "AzureActivity").replace(
            "Success", "Caller == 'a'"
        ),
        "sound": SOUND,
        "table": SOUND.replace("AppRequests", "AppRequest"),
    }
    for name, text in wrong.items():
        write(tmp_path, text.replace("quotes", name), name)
    reading = read_catalog(tmp_path)
    found = [
        (one.file.removesuffix(".yaml"), one.line, one.field, one.problem[:5])
        for one in complain(reading, analysed([reading]))
    ]
    total = GOOD.replace("good", "total")
    assert sorted(set(found)) == [
        ("column", 28, GOOD, "KS142"),
        ("kind", 28, GOOD, "KS141"),
        ("nobodys", 29, total, "KS142"),
        ("table", 29, total, "KS204"),
    ]


def test_a_condition_that_no_alert_rule_can_ask_is_told(tmp_path: Path) -> None:
    usual = SOUND.replace(INLINE, "")  # alerts of the usual windows
    write(
        tmp_path,
        usual.replace("where Success", "where ingestion_time() > TimeGenerated and Success"),
    )

    found = [line_of(tmp_path, one) for one in unfit_rules(read_catalog(tmp_path))]

    said = "ingestion_time( is not allowed (allowed: what a log alert rule can ask)"
    place = f"{tmp_path}/quotes.yaml:{number_of(SOUND, '  indicator:')}: spec.indicator"
    start = f"{place}: the alert rule quotes-availability-"
    assert len(found) == 3  # two burns, and the parts of the faster one
    assert all(line.startswith(start) and line.endswith(said) for line in found)


def test_an_unfit_rule_is_told_where_its_own_objective_says_what_it_counts(tmp_path: Path) -> None:
    alerts = SOUND.partition(INLINE)[0]
    second = SLO.replace("quotes-availability", "quotes-other")
    unfit = second.replace("where Success", "where ingestion_time() > now() and Success")
    write(tmp_path, f"{alerts}{unfit}")

    found = {(one.line, one.field) for one in unfit_rules(read_catalog(tmp_path))}

    lines = f"{alerts}{unfit}".splitlines()
    second_one = [number for number, line in enumerate(lines, 1) if line == "  indicator:"][1]
    assert found == {(second_one, "spec.indicator")}


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("0000000000f2", "f2", "spec.targets[0].id"),
        ("00000000-0000-0000-0000-0000000000f2", "claims-prod", "spec.targets[0].id"),
        ("  owner:", "  resources: [/subscriptions/YOURS/resourcegroups/a]\n  owner:",
         "spec.resources"),
    ],
)  # fmt: skip
def test_an_arm_id_of_no_subscription_is_told(
    tmp_path: Path, old: str, new: str, field: str
) -> None:
    text = SOUND.replace(old, new, 1)
    write(tmp_path, text)

    (line,) = told_of(tmp_path)

    key = f"{field.rpartition('.')[2]}: "
    number = next(n for n, one in enumerate(text.splitlines(), 1) if one.lstrip().startswith(key))
    assert line.startswith(f"{tmp_path}/quotes.yaml:{number}: {field}: '/subscriptions/")
    assert "(allowed: an ARM id: /subscriptions/ and the subscription's GUID" in line


@analysing
def test_all_folders_are_linted_and_each_says_how_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    write(tmp_path, "kind: Service\nkind: SLO\n")
    assert main([str(tmp_path), str(other)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"{tmp_path}/quotes.yaml:2: kind occurs twice",
        f"{tmp_path}: 1 services, 0 objectives: 1 to mend",
        f"{other}: 0 services, 0 objectives: in order",
    ]


def test_a_folder_that_is_not_there_does_not_pass(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["no/such/folder"]) == 1
    assert "no/such/folder does not exist" in capsys.readouterr().out


def test_queries_that_cannot_be_analysed_do_not_pass(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, SOUND)
    monkeypatch.setenv("PATH", "")
    assert main([str(tmp_path)]) == 1
    assert "node is not installed" in capsys.readouterr().out


@analysing
def test_what_ships_is_in_order(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    assert main([]) == 0, capsys.readouterr().out
    assert capsys.readouterr().out.count(": in order\n") == 2


def test_golden_cases_are_linted_with_their_service(tmp_path: Path) -> None:
    write(tmp_path, SOUND)
    (tmp_path / "golden").mkdir()
    for name in ("quotes", "nobodys"):
        (tmp_path / "golden" / f"{name}.yaml").write_text(
            f"apiVersion: backstop/v1\nkind: GoldenCases\nmetadata: {{name: {name}}}\n"
            "spec: {cases: []}\n"
        )
    found = bad_cases(tmp_path, read_catalog(tmp_path))
    assert [(one.file, one.line, one.problem) for one in found] == [
        ("golden/nobodys.yaml", 4, "0 cases"),
        ("golden/nobodys.yaml", 1, "cases of no service"),
        ("golden/quotes.yaml", 4, "0 cases"),
    ]


def test_an_endpoint_without_golden_cases_is_told_where_it_is_named(tmp_path: Path) -> None:
    write(tmp_path, SOUND)
    (line,) = (line_of(tmp_path, one) for one in bad_cases(tmp_path, read_catalog(tmp_path)))
    assert line == (
        f"{tmp_path}/quotes.yaml:{number_of(SOUND, ENDPOINT)}: spec.targets[0].id: nobody asks the"
        " endpoint what it should know, and it cannot be probed: no golden cases and no probe"
        " request (allowed: golden/quotes.yaml with at least 20 golden cases for each endpoint)"
    )


@pytest.mark.parametrize("mode", ["approve", "automatic"])
def test_one_that_acts_wants_golden_cases_though_it_can_be_probed(
    tmp_path: Path, mode: str
) -> None:
    write(tmp_path, SOUND.replace("  owner:", f"  probe: {{days: 14}}\n  mode: {mode}\n  owner:"))
    reading = read_catalog(tmp_path)
    (found,) = bad_cases(tmp_path, reading)
    assert found.problem == "nobody asks the endpoint what it should know"
    assert later(tmp_path, reading) == []


@analysing
@pytest.mark.parametrize("mode", ["", "  mode: observe\n", "  mode: recommend\n"])
def test_until_it_acts_a_probe_is_enough_and_the_rest_is_for_later(
    tmp_path: Path, mode: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, SOUND.replace("  owner:", f"  probe: {{days: 14}}\n{mode}  owner:"))
    assert main([str(tmp_path)]) == 0
    advice, summary = capsys.readouterr().out.splitlines()
    assert "golden/quotes.yaml with at least 20 golden cases for each endpoint" in advice
    assert "; wanted before its mode is approve (" in advice
    assert summary == f"{tmp_path}: 1 services, 1 objectives: in order, 1 for later"


@analysing
def test_the_file_that_the_docs_show_is_enough(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = (ROOT / "shared/catalog/README.md").read_text()
    sample = shown.partition("```yaml\n")[2].partition("```")[0]
    write(tmp_path, sample)
    assert main([str(tmp_path)]) == 0, capsys.readouterr().out


def test_an_agent_needs_no_golden_cases(tmp_path: Path) -> None:
    name = "policy-search"
    write(tmp_path, (ROOT / f"shared/catalog/{name}.yaml").read_text(), name)
    assert bad_cases(tmp_path, read_catalog(tmp_path)) == []
