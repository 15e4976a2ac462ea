"""A sound file, one thing changed, one mistake that says where it is and what would be right."""

from datetime import UTC, datetime, time
from pathlib import Path

import pytest

from shared.adapters.catalog import load_catalog
from shared.domain.catalog import (
    CatalogMistake,
    Dependency,
    Mode,
    RollbackPolicy,
    Service,
    TargetKind,
)
from shared.domain.windows import Once, Weekly
from shared.errors import Misconfigured

SHIPPED = Path(__file__).parents[3] / "shared" / "catalog"

HEAD = """\
apiVersion: backstop/v1
kind: Service
metadata:
  name: quotes
  title: Quotes for travel cover
spec:
  owner: travel-platform
  tier: 2
  rto: 30m
  rpo: 0
  contacts:
    - {name: Travel on call, role: responder, pager: travel}
    - {name: Travel lead, role: commander, pager: travel-lead}
  targets:
    - kind: online-endpoint
      id: {id}
"""
ENDPOINT = (
    "/subscriptions/00000000-0000-0000-0000-0000000000f2/resourceGroups/rg-travel/providers/Microsoft.MachineLearningServices"
    "/workspaces/mlw/onlineEndpoints/quotes"
)
HEAD = HEAD.replace("{id}", ENDPOINT)
SLO = """\
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: quotes-availability, labels: {sli: availability}}
spec:
  service: quotes
  indicator:
    metadata: {name: answered}
    spec:
      ratioMetric:
        good: {metricSource: {type: LogAnalytics, spec: {query: "AppRequests | where Success"}}}
        total: {metricSource: {type: LogAnalytics, spec: {query: "AppRequests"}}}
  timeWindow: [{duration: 28d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.995}]
"""
SOUND = HEAD + SLO
GOOD = "spec.indicator.spec.ratioMetric.good.metricSource.spec.query"


def read(folder: Path, text: str, name: str = "quotes") -> Service:
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    catalog = load_catalog(folder)
    assert catalog.mistakes == ()
    return catalog.services[name]


def mistakes_of(folder: Path, text: str | bytes) -> tuple[CatalogMistake, ...]:
    body = text.encode() if isinstance(text, str) else text
    (folder / "quotes.yaml").write_bytes(body)
    catalog = load_catalog(folder)
    assert catalog.services == {}
    assert catalog.broken("quotes") == catalog.mistakes
    return catalog.mistakes


def with_line(line: str) -> str:
    """The sound file with one more line in its spec."""
    return f"{HEAD}  {line}\n{SLO}"


def test_the_files_that_ship_are_in_order() -> None:
    catalog = load_catalog(SHIPPED)
    assert catalog.mistakes == ()
    service = catalog.services["fnol-summary"]
    assert (service.mode, service.tier, service.rto_s) == (Mode.AUTOMATIC, 1, 900)
    assert service.latency_threshold_ms() == 2_000
    assert [(slo.sli, slo.objective) for slo in service.slos] == [
        ("availability", 0.99),
        ("latency", 0.95),
        ("quality", 0.9),
    ]
    assert catalog.services["policy-search"].dependents == ("fnol-summary",)
    assert catalog.services["policy-search"].targets[0].kind is TargetKind.AGENT


def test_the_file_that_the_readme_offers_for_copying_is_in_order(tmp_path: Path) -> None:
    readme = (SHIPPED / "README.md").read_text(encoding="utf-8")
    example = readme.partition("```yaml\n")[2].partition("```")[0]
    assert read(tmp_path, example).name == "quotes"


def test_the_readme_names_every_field_of_the_policy() -> None:
    readme = (SHIPPED / "README.md").read_text(encoding="utf-8")
    fields = [name.removesuffix("_s") for name in RollbackPolicy.__struct_fields__]
    assert [name for name in fields if f"`{name}`" not in readme] == []


def test_a_sound_file_is_read_in_full(tmp_path: Path) -> None:
    service = read(tmp_path, SOUND)
    assert (service.name, service.title) == ("quotes", "Quotes for travel cover")
    assert (service.tier, service.rto_s, service.rpo_requests) == (2, 1_800, 0)
    assert [contact.pager for contact in service.contacts] == ["travel", "travel-lead"]
    assert service.slos[0].window_days == 28
    assert service.file == "quotes.yaml"


def test_ids_are_kept_in_lower_case(tmp_path: Path) -> None:
    (target,) = read(tmp_path, SOUND).targets
    assert target.id.endswith("/onlineendpoints/quotes")


def test_a_service_that_says_no_mode_is_observed_only(tmp_path: Path) -> None:
    assert read(tmp_path, SOUND).mode is Mode.OBSERVE


def test_a_policy_says_what_differs_from_the_usual(tmp_path: Path) -> None:
    policy = read(tmp_path, with_line("policy: {cooldown: 1h, soak: 2d, probes: 5}")).policy
    assert (policy.cooldown_s, policy.soak_s, policy.probes) == (3_600, 172_800, 5)
    assert policy.minimum_requests == 50


def test_a_latency_objective_names_the_slowest_good_answer(tmp_path: Path) -> None:
    quick = SOUND.replace("sli: availability", "sli: latency")
    service = read(tmp_path, quick.replace("Success", "DurationMs <= 1500"))
    assert (service.slos[0].sli, service.slos[0].latency_ms) == ("latency", 1_500)


def test_what_is_bad_may_be_told_instead_of_what_is_good(tmp_path: Path) -> None:
    assert read(tmp_path, SOUND.replace("        good:", "        bad:")).slos


def test_an_empty_list_of_reasons_to_ask_is_taken_at_its_word(tmp_path: Path) -> None:
    assert read(tmp_path, with_line("policy: {approve_when: []}")).policy.approve_when == ()


def test_an_objective_may_be_given_in_percent_and_named_by_its_indicator(tmp_path: Path) -> None:
    text = SOUND.replace("target: 0.995", "targetPercent: 99.5").replace(
        ", labels: {sli: availability}", ""
    )
    service = read(tmp_path, text.replace("{name: answered}", "{name: availability}"))
    assert service.slos[0].sli == "availability"
    assert service.slos[0].objective == pytest.approx(0.995)


@pytest.mark.parametrize(
    "row",
    [
        ("  tier: 2\n", "", 6, "spec.tier", "is missing", ""),
        ("  owner: travel-platform\n", "", 6, "spec.owner", "is missing", ""),
        ("  rto: 30m\n", "", 6, "spec.rto", "is missing", ""),
        ("  rpo: 0\n", "", 6, "spec.rpo", "is missing", ""),
        ("tier: 2", "tier: 4", 8, "spec.tier", "4 is not allowed", "whole number from 1 to 3"),
        ("tier: 2", "tier: high", 8, "spec.tier", "'high' is not allowed", "whole number"),
        ("tier: 2", "tier: true", 8, "spec.tier", "True is not allowed", "whole number"),
        ("rto: 30m", "rto: 30", 9, "spec.rto", "30 is not allowed", "such as 15m"),
        ("rto: 30m", "rto: 1:30", 9, "spec.rto", "'1:30' is not allowed", "from 1m to 7d"),
        ("owner: travel-platform", "owner: [a]", 7, "spec.owner", "is no text", "a text"),
        ("owner: tr", "ownr: tr", 7, "spec.ownr", "is unknown", "did you mean owner?"),
        ("name: quotes", "name: offers", 4, "metadata.name", "is not the file's name", "quotes"),
        ("kind: Service", "kind: Servce", 2, "kind", "'Servce' is unknown", "did you mean Service"),
        ("backstop/v1", "backstop/v2", 1, "apiVersion", "is unknown", "backstop/v1"),
        ("online-endpoint", "function", 15, "spec.targets[0].kind", "is unknown", "agent"),
        ("/onlineEndpoints/", "/", 16, "spec.targets[0].id", "not the ARM id", "endpoint"),
        ("id: /sub", "id: sub", 16, "spec.targets[0].id", "is not allowed", "/subscriptions/"),
        ("    - {name: Travel lead, role: commander, pager: travel-lead}\n", "",
         11, "spec.contacts", "fewer than two", "two or more"),
        ("role: commander, ", "", 13, "spec.contacts[1].role", "is missing", ""),
        ("target: 0.995", "target: 1", 31, "spec.objectives[0].target", "1 is not", "0.99999"),
        ("target: 0.995", "target: .nan", 31, "spec.objectives[0].target", "nan", "above 0.5"),
        ("Occurrences", "Timeslices", 30, "spec.budgetingMethod", "is unknown", "Occurrences"),
        ("isRolling: true", "isRolling: false", 29, "spec.timeWindow[0].isRolling", "only rolling",
         "true"),
        ("service: quotes", "service: offers", 22, "spec.service", "is unknown", "quotes"),
        ("sli: availability", "sli: latency", 23, "spec.indicator", "no slowest", "DurationMs"),
        ("sli: availability", "sli: quality", 20, "metadata.annotations", "is missing", ""),
        ("sli: availability", "sli: speed", 20, "metadata.labels.sli", "is unknown", "latency"),
        ("[{target: 0.995}]", "[]", 31, "spec.objectives", "0 objectives", "exactly one"),
        ("[{duration: 28d, isRolling: true}]", "[]", 29, "spec.timeWindow", "0 windows", "exactly"),
        ("        good:", "        other:", 26, "spec.indicator.spec.ratioMetric.good", "neither",
         "one of good and bad"),
        ("kind: SLO", "kind: Datasource", 19, "kind", "is unknown", "AlertPolicy"),
        ("kind: SLO", "kind: AlertPolicy", 19, "kind", "is used by nothing", "alertPolicyRef"),
        ("Requests | where Success", "Requests", 27, GOOD, "is not the text of total",
         "| where CONDITION"),
        ("AppRequests | where Success", "burn-rates", 27, GOOD,
         "'burn-rates' is no table", "AppRequests |"),
    ],
)  # fmt: skip
def test_every_mistake_says_where_it_is_and_what_would_be_right(
    tmp_path: Path, row: tuple[str, str, int, str, str, str]
) -> None:
    old, new, line, field, problem, allowed = row
    assert old in SOUND
    found = mistakes_of(tmp_path, SOUND.replace(old, new, 1))
    (mistake,) = [one for one in found if one.field == field]
    assert (mistake.file, mistake.line) == ("quotes.yaml", line)
    assert problem in mistake.problem
    assert allowed in mistake.allowed


@pytest.mark.parametrize(
    ("line", "field", "problem"),
    [
        ("mode: auto", "spec.mode", "'auto' is unknown"),
        ("time_zone: Europe/Amsterdm", "spec.time_zone", "is unknown"),
        ("time_zone: ../../etc/passwd", "spec.time_zone", "is not allowed"),
        ("regions: [no, westeurope, 7]", "spec.regions", "7 is not allowed"),
        ("runbook: http://plain.example", "spec.runbook", "is not allowed"),
        ("customer_impact: yes", "spec.customer_impact", "neither true nor false"),
        ("resources: /subscriptions/s", "spec.resources", "is no list"),
        ("policy: [1]", "spec.policy", "is no mapping"),
        ("policy: {cooldown: -5m}", "spec.policy.cooldown", "is not allowed"),
        ("policy: {probe_pass_share: 95}", "spec.policy.probe_pass_share", "95 is not allowed"),
        ("policy: {short_window: 1h}", "spec.policy.short_window", "not shorter"),
        ("policy: {max_rollbacks_per_hour: 60}", "spec.policy.max_rollbacks_per_hour", "60 is"),
        ("policy: {storm_alerts: 1}", "spec.policy.storm_alerts", "1 is not allowed"),
        ("policy: {approval_expires: 16m}", "spec.policy.approval_expires", "'16m' is not allowed"),
        ("policy: {quorum: 0}", "spec.policy.quorum", "0 is not allowed"),
        ("policy: {flap_window: 2d}", "spec.policy.flap_window", "'2d' is not allowed"),
        ("policy: {approve_when: [never]}", "spec.policy.approve_when", "'never' is not allowed"),
        ("dependencies: [{name: wordings, kind: inde}]", "spec.dependencies[0].kind", "unknown"),
        ("dependencies: [{name: quote}]", "spec.dependencies[0].name", "no other service quote"),
        ("dependencies: [{name: quotes}]", "spec.dependencies[0].name", "no other service quotes"),
    ],
)
def test_a_field_that_may_be_left_out_must_be_right_where_it_is_not(
    tmp_path: Path, line: str, field: str, problem: str
) -> None:
    (mistake,) = mistakes_of(tmp_path, with_line(line))
    assert mistake.field == field
    assert problem in mistake.problem


ONCE = "start: 2026-11-28T22:00, end: 2026-11-29T02:00, reason: The index is rebuilt"
WEEKLY = 'every: [saturday], at: "22:00", lasts: 4h, reason: Patches'


def test_a_maintenance_window_is_read_in_the_zone_of_its_service(tmp_path: Path) -> None:
    text = with_line(f"maintenance: [{{{ONCE}}}]").replace(
        "tier: 2", "tier: 2\n  time_zone: Europe/Amsterdam"
    )
    (window,) = read(tmp_path, text).maintenance
    assert window == Once(
        start=datetime(2026, 11, 28, 21, 0, tzinfo=UTC),
        end=datetime(2026, 11, 29, 1, 0, tzinfo=UTC),
        reason="The index is rebuilt",
    )


def test_a_window_may_name_its_own_zone_or_offset(tmp_path: Path) -> None:
    own = ONCE.replace("02:00", "02:00+05:30").replace("reason", "time_zone: Asia/Tokyo, reason")
    (window,) = read(tmp_path, with_line(f"maintenance: [{{{own}}}]")).maintenance
    assert isinstance(window, Once)
    assert window.start == datetime(2026, 11, 28, 13, 0, tzinfo=UTC)
    assert window.end == datetime(2026, 11, 28, 20, 30, tzinfo=UTC)


def test_a_window_may_come_every_week(tmp_path: Path) -> None:
    (window,) = read(tmp_path, with_line(f"maintenance: [{{{WEEKLY}}}]")).maintenance
    assert window == Weekly(days=(5,), at=time(22, 0), lasts_s=14_400, zone="UTC", reason="Patches")


@pytest.mark.parametrize(
    ("window", "field", "problem", "allowed"),
    [
        (ONCE.replace("-28T", "-31T"), "start", "is no date", "2026-11-28T22:00"),
        (ONCE.replace("T22:00", " 22:00"), "start", "is not allowed", "text like"),
        (ONCE.replace("11-29", "11-27"), "end", "is not after start", "a later moment"),
        (ONCE.replace("2026-11-29", "2027-11-29"), "end", "more than 14 days", "shorter"),
        (ONCE.replace("end: 2026-11-29T02:00, ", ""), "end", "is missing", ""),
        (ONCE.replace(", reason: The index is rebuilt", ""), "reason", "is missing", ""),
        (f"{ONCE}, until: never", "until", "is unknown", "one of end"),
        (f"{ONCE}, time_zone: Mars/Base", "time_zone", "'Mars/Base' is unknown", "Europe/"),
        (WEEKLY.replace("saturday", "saterday"), "every", "'saterday' is not", "saturday"),
        (WEEKLY.replace("[saturday]", "[]"), "every", "names no day", "monday"),
        (WEEKLY.replace("22:00", "24:00"), "at", "'24:00' is not allowed", "text like"),
        (WEEKLY.replace("4h", "25h"), "lasts", "'25h' is not allowed", "from 1m to 1d"),
        (WEEKLY.replace("reason", "start: 2026-11-28T22:00, reason"), "start", "is unknown", ""),
    ],
)
def test_a_mistaken_window_says_where_and_what_would_be_right(
    tmp_path: Path, window: str, field: str, problem: str, allowed: str
) -> None:
    (mistake,) = mistakes_of(tmp_path, with_line(f"maintenance: [{{{window}}}]"))
    assert (mistake.file, mistake.line) == ("quotes.yaml", 17)
    assert mistake.field == f"spec.maintenance[0].{field}"
    assert problem in mistake.problem
    assert allowed in mistake.allowed


def test_the_windows_of_the_readme_are_in_order(tmp_path: Path) -> None:
    readme = (SHIPPED / "README.md").read_text(encoding="utf-8")
    _, _, rest = readme.partition("```yaml\n  maintenance:\n")
    windows = rest.partition("```")[0]
    assert len(read(tmp_path, f"{HEAD}  maintenance:\n{windows}{SLO}").maintenance) == 2


def test_who_approves_and_for_how_long_is_policy(tmp_path: Path) -> None:
    said = "policy: {approval_expires: 5m, quorum: 2, deployer_may_approve: true}"
    policy = read(tmp_path, with_line(said)).policy
    assert (policy.approval_expires_s, policy.quorum, policy.deployer_may_approve) == (300, 2, True)
    usual = read(tmp_path, with_line("policy: {probes: 20}")).policy
    assert (usual.approval_expires_s, usual.quorum, usual.deployer_may_approve) == (900, 1, False)


def test_how_much_noise_is_too_much_is_policy(tmp_path: Path) -> None:
    policy = read(tmp_path, with_line("policy: {storm_alerts: 25, flap_window: 1h}")).policy
    assert (policy.storm_alerts, policy.flap_window_s) == (25, 3_600)


@pytest.mark.parametrize(
    ("body", "line", "problem"),
    [
        (b"a: b: c", 1, "not YAML"),
        (b"a: \x00", 1, "not YAML"),
        (b"[a]: b\n", 1, "no objective"),
        (b"kind: Service\nkind: SLO\n", 2, "kind occurs twice"),
        (b"a: &x [1]\nb: *x\n", 2, "an alias"),
        (b"a: !!python/object:os.system {}\n", 1, "a tag"),
        (b"\xff\xfe\x00", 1, "not a text file in UTF-8"),
        (b"[" * 60_000, 1, "nested deeper"),
        (b"? " * 30_000, 1, "nested deeper"),
        (b"# " + b"x" * 70_000, 1, "at most 65536"),
        (b"", 1, "the file is empty"),
        (b"---\n---\n", 1, "the file is empty"),
        (b"- a\n- b\n", 1, "is no mapping"),
        (HEAD.encode(), 1, "no objective"),
    ],
)
def test_a_file_that_is_no_service_is_one_mistake_and_never_a_crash(
    tmp_path: Path, body: bytes, line: int, problem: str
) -> None:
    found = mistakes_of(tmp_path, body)
    assert found[0].line == line
    assert problem in found[0].problem


def test_all_mistakes_of_a_file_come_at_once_in_the_order_of_its_lines(tmp_path: Path) -> None:
    text = SOUND.replace("tier: 2", "tier: 9").replace("rto: 30m", "rto: soon")
    found = mistakes_of(tmp_path, text.replace("target: 0.995", "target: 7"))
    assert [mistake.line for mistake in found] == [8, 9, 31]


def test_a_missing_section_is_one_mistake_not_one_for_each_of_its_fields(tmp_path: Path) -> None:
    text = SOUND.replace("metadata:\n  name: quotes\n  title: Quotes for travel cover\n", "")
    fields = [mistake.field for mistake in mistakes_of(tmp_path, text)]
    assert fields.count("metadata") == 1
    assert "metadata.title" not in fields


def test_one_broken_file_does_not_stop_the_others(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("a: [", encoding="utf-8")
    (tmp_path / "quotes.yaml").write_text(SOUND, encoding="utf-8")
    catalog = load_catalog(tmp_path)
    assert list(catalog.services) == ["quotes"]
    assert [mistake.service for mistake in catalog.mistakes] == ["broken"]


def test_a_broken_file_still_says_which_targets_are_not_nobodys(tmp_path: Path) -> None:
    target = "/Subscriptions/S1/resourceGroups/rg/providers/p/workspaces/w/onlineEndpoints/E"
    (tmp_path / "quotes.yaml").write_text(f"targets: [{{id: {target}}}]\n  broken: [")

    catalog = load_catalog(tmp_path)

    assert catalog.broken_targets == {target.lower(): "quotes"}
    (mistake,) = catalog.mistakes_about((f"{target.lower()}/deployments/v2",))
    assert mistake.file == "quotes.yaml"
    assert catalog.mistakes_about((f"{target.lower()}x",)) == ()


def test_an_endpoint_with_two_owners_has_none(tmp_path: Path) -> None:
    for name in ("offers", "quotes"):
        text = SOUND.replace("name: quotes", f"name: {name}", 1)
        text = text.replace("service: quotes", f"service: {name}")
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    catalog = load_catalog(tmp_path)
    assert catalog.services == {}
    assert [mistake.service for mistake in catalog.mistakes] == ["offers", "quotes"]
    assert all("is owned twice" in mistake.problem for mistake in catalog.mistakes)


def test_a_dependency_on_a_service_whose_file_is_broken_is_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "search.yaml").write_text("a: [", encoding="utf-8")
    text = with_line("dependencies: [{name: search}]")
    (tmp_path / "quotes.yaml").write_text(text, encoding="utf-8")
    service = load_catalog(tmp_path).services["quotes"]
    assert service.dependencies == (Dependency(name="search"),)


def test_an_empty_folder_is_an_empty_catalog(tmp_path: Path) -> None:
    assert load_catalog(tmp_path).services == {}


def test_a_folder_that_does_not_exist_is_a_wrong_setting(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="does not exist"):
        load_catalog(tmp_path / "nowhere")


def test_five_hundred_services_are_read(tmp_path: Path) -> None:
    for number in range(500):
        text = SOUND.replace("quotes", f"quotes-{number:03d}")
        (tmp_path / f"quotes-{number:03d}.yaml").write_text(text, encoding="utf-8")
    assert len(load_catalog(tmp_path).services) == 500
