"""Change freezes, emergencies and the firm's calendar in the catalog: read, or told where not."""

from datetime import date, time
from pathlib import Path

import pytest

from shared.adapters.catalog import load_catalog
from shared.domain.catalog import REASONS_TO_ASK, Catalog, Emergency
from shared.domain.freezes.freeze import Calendar, FreezeWindow
from shared.domain.incidents.incident import Severity
from shared.domain.windows import MonthEnd, Monthly, Once, Weekly, Window, Yearly
from tests.shared.adapters.test_catalog import SHIPPED, SOUND, mistakes_of, read, with_line

ZONE = "Europe/Amsterdam"
HEAD = f"apiVersion: backstop/v1\nkind: Calendar\nspec:\n  time_zone: {ZONE}\n  freezes:\n"
USUAL = "name: Year end, reason: accounts"


def calendar_of(folder: Path, *windows: str) -> Catalog:
    """The catalog of one sound service and a calendar with these windows."""
    (folder / "quotes.yaml").write_text(SOUND, encoding="utf-8")
    listed = "".join(f"    - {{{window}}}\n" for window in windows)
    (folder / "calendar.yaml").write_text(HEAD + listed, encoding="utf-8")
    return load_catalog(folder)


@pytest.mark.parametrize(
    ("said", "window"),
    [
        (
            "from: 12-18, to: 01-04",
            Yearly(first=(12, 18), last=(1, 4), zone=ZONE, reason="accounts"),
        ),
        (
            'monthly: [1, 24], at: "06:00", lasts: 1d',
            Monthly(days=(1, 24), at=time(6), lasts_s=86_400, zone=ZONE, reason="accounts"),
        ),
        (
            'last_business_day: true, holidays: ["2026-12-31"], at: "17:00", lasts: 15h',
            MonthEnd(
                at=time(17),
                lasts_s=54_000,
                zone=ZONE,
                reason="accounts",
                holidays=(date(2026, 12, 31),),
            ),
        ),
        (
            'every: [friday], at: "16:00", lasts: 63h',
            Weekly(days=(4,), at=time(16), lasts_s=226_800, zone=ZONE, reason="accounts"),
        ),
    ],
)
def test_each_form_of_a_window_is_read(tmp_path: Path, said: str, window: Window) -> None:
    catalog = calendar_of(tmp_path, f"{USUAL}, {said}")
    assert catalog.mistakes == ()
    expected = FreezeWindow(name="Year end", scope="*", window=window, zone=ZONE)
    assert catalog.calendar == Calendar(windows=(expected,), zone=ZONE)


def test_the_calendar_is_no_service_and_the_shipped_one_is_in_order(tmp_path: Path) -> None:
    assert list(calendar_of(tmp_path).services) == ["quotes"]
    assert load_catalog(SHIPPED).calendar == Calendar(zone=ZONE)


def test_a_firm_without_a_calendar_has_frozen_nothing(tmp_path: Path) -> None:
    (tmp_path / "quotes.yaml").write_text(SOUND, encoding="utf-8")
    assert load_catalog(tmp_path).calendar == Calendar()


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ("from: 02-29, to: 03-01", "from"),
        ("from: 12-18, to: 13-01", "to"),
        ("from: 12-18, to: 06-01", "to"),
        ('monthly: [0], at: "06:00", lasts: 1d', "monthly"),
        ('monthly: [], at: "06:00", lasts: 1d', "monthly"),
        ('monthly: ["1"], at: "06:00", lasts: 1d', "monthly"),
        ('last_business_day: false, at: "17:00", lasts: 1h', "last_business_day"),
        ('last_business_day: true, at: "17:00", lasts: 15d', "lasts"),
        ('last_business_day: true, holidays: ["2026-02-30"], at: "17:00", lasts: 1h', "holidays"),
        ("start: 2026-12-01T00:00, end: 2027-12-01T00:00", "end"),
        ('monthly: [1], at: "06:00", lasts: 1d, until: never', "until"),
    ],
)
def test_a_window_that_cannot_be_meant_freezes_everything_until_it_is_mended(
    tmp_path: Path, said: str, field: str
) -> None:
    catalog = calendar_of(tmp_path, f"{USUAL}, {said}")
    assert [mistake.field for mistake in catalog.mistakes] == [f"spec.freezes[0].{field}"]
    assert catalog.mistakes[0].file == "calendar.yaml"
    assert catalog.calendar == Calendar(zone=ZONE, known=False)
    assert list(catalog.services) == ["quotes"]  # the services themselves go on


@pytest.mark.parametrize("text", ["a: [", "", "kind: Service"])
def test_a_calendar_that_is_none_is_not_known(tmp_path: Path, text: str) -> None:
    (tmp_path / "calendar.yaml").write_text(text, encoding="utf-8")
    assert not load_catalog(tmp_path).calendar.known


def test_a_service_has_freezes_of_its_own_in_its_own_zone(tmp_path: Path) -> None:
    once = "start: 2026-12-01T22:00Z, end: 2026-12-02T02:00Z"
    line = f"freezes: [{{{USUAL}, {once}, time_zone: {ZONE}}}]"
    (found,) = read(tmp_path, with_line(line)).freezes
    assert (found.name, found.scope, found.zone) == ("Year end", "quotes", ZONE)
    assert isinstance(found.window, Once)


def test_the_calendar_that_the_readme_offers_is_in_order(tmp_path: Path) -> None:
    readme = (SHIPPED / "README.md").read_text(encoding="utf-8")
    _, _, rest = readme.partition("```yaml\napiVersion: backstop/v1\nkind: Calendar\n")
    example = "apiVersion: backstop/v1\nkind: Calendar\n" + rest.partition("```")[0]
    (tmp_path / "calendar.yaml").write_text(example, encoding="utf-8")
    catalog = load_catalog(tmp_path)
    assert catalog.mistakes == ()
    assert [one.name for one in catalog.calendar.windows] == [
        "Year end",
        "Month end",
        "Payday",
        "Weekend",
    ]


def test_a_policy_that_names_no_reasons_asks_for_all_of_them(tmp_path: Path) -> None:
    service = read(tmp_path, SOUND)
    assert service.policy.approve_when == REASONS_TO_ASK
    assert service.policy.emergency is None


def test_an_emergency_and_tags_are_read(tmp_path: Path) -> None:
    policy = "policy: {review_days: 3, emergency: {severity: SEV0, burn_rate: 14.4}}"
    service = read(tmp_path, with_line(f"compliance: [dora, soc-2]\n  {policy}"))
    assert service.compliance == ("dora", "soc-2")
    assert service.policy.emergency == Emergency(severity=Severity.SEV0, burn_rate=14.4)
    assert service.policy.review_days == 3


@pytest.mark.parametrize(
    "emergency", ["{severity: SEV2, burn_rate: 10}", "{severity: SEV1}", "{burn_rate: 10}", "yes"]
)
def test_what_is_no_emergency_is_a_mistake(tmp_path: Path, emergency: str) -> None:
    found = mistakes_of(tmp_path, with_line(f"policy: {{emergency: {emergency}}}"))
    assert found[0].field.startswith("spec.policy.emergency")


@pytest.mark.parametrize(
    "line",
    [
        "customer_impact: true",
        "compliance: [dora]",
        f"freezes: [{{{USUAL}, from: 12-18, to: 12-20}}]",
    ],
)
def test_what_a_decision_rests_on_changes_the_policys_hash(tmp_path: Path, line: str) -> None:
    assert read(tmp_path, with_line(line)).policy_hash != read(tmp_path, SOUND).policy_hash
