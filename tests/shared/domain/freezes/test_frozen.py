"""What a freeze covers and blocks, and that whoever is refused reads until when and why."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from shared.domain.catalog import Catalog
from shared.domain.decisions.control import Controls
from shared.domain.freezes.freeze import Calendar, Freeze, FreezeWindow
from shared.domain.freezes.frozen import ChangeKind, Frozen, blocks, frozen_all, frozen_now
from shared.domain.windows import Once
from tests.shared.domain.decisions.worked_case import SERVICE

NOW = datetime(2026, 12, 31, 16, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
SOON = Once(start=NOW - HOUR, end=NOW + HOUR, reason="the ledger closes")
MONTH_END = FreezeWindow(name="Month end", scope="*", window=SOON, zone="Europe/Amsterdam")
TOGGLE = Freeze(
    scope="*",
    on=True,
    by="t/dana",
    reason="the move to the new ledger",
    at=NOW - HOUR,
    expires_at=NOW + 2 * HOUR,
)
FIRM = Catalog(
    services={SERVICE.name: SERVICE},
    calendar=Calendar(windows=(MONTH_END,), zone="Europe/Amsterdam"),
)
CALM = Catalog(services={SERVICE.name: SERVICE})


def frozen(
    catalog: Catalog = FIRM, service: str = SERVICE.name, now: datetime = NOW, *toggles: Freeze
) -> Frozen | None:
    return frozen_now(catalog, Controls(freezes=toggles), service, now)


def test_nothing_is_frozen_without_a_calendar_or_a_commander() -> None:
    assert frozen(CALM) is None


def test_the_calendar_freezes_every_service_until_its_window_ends() -> None:
    assert frozen(service="another") is not None
    moments = (NOW - HOUR, NOW + HOUR - timedelta(seconds=1), NOW + HOUR)
    assert [frozen(now=at) is not None for at in moments] == [True, True, False]


def test_a_services_own_window_freezes_that_service_only() -> None:
    own = msgspec.structs.replace(MONTH_END, scope=SERVICE.name)
    service = msgspec.structs.replace(SERVICE, freezes=(own,))
    catalog = Catalog(services={service.name: service})
    assert frozen(catalog) is not None
    assert frozen(catalog, "another") is None


def test_of_two_freezes_the_one_that_ends_last_is_cited() -> None:
    found = frozen(FIRM, SERVICE.name, NOW, TOGGLE)
    assert found is not None
    assert (found.until, found.by) == (NOW + 2 * HOUR, "t/dana")
    assert len(frozen_all(FIRM, Controls(freezes=(TOGGLE,)), NOW)) == 2


@pytest.mark.parametrize(
    ("catalog", "controls"),
    [
        (msgspec.structs.replace(CALM, calendar=Calendar(known=False)), Controls()),
        (CALM, Controls(known=False)),
    ],
    ids=["the calendar", "the controls"],
)
def test_what_cannot_be_read_counts_as_frozen(catalog: Catalog, controls: Controls) -> None:
    found = frozen_now(catalog, controls, SERVICE.name, NOW)
    assert found is not None
    assert found.until is None
    assert "cannot be read" in blocks(ChangeKind.PROMOTION, found, NOW)


def test_a_refusal_names_the_window_and_its_end_in_the_firms_zone_and_in_utc() -> None:
    assert blocks(ChangeKind.PROMOTION, frozen(), NOW) == (
        "No promotion now: change freeze 'Month end' for all services until 18:30 CET (17:30 UTC):"
        " the ledger closes"
    )


def test_a_toggle_is_told_in_the_firms_zone() -> None:
    found = frozen(FIRM, SERVICE.name, NOW, TOGGLE)
    assert "until 19:30 CET (18:30 UTC): the move" in blocks(ChangeKind.ROLLBACK, found, NOW)


@pytest.mark.parametrize("kind", ChangeKind)
def test_an_emergency_rollback_alone_is_never_blocked(kind: ChangeKind) -> None:
    assert bool(blocks(kind, frozen(), NOW)) is (kind is not ChangeKind.EMERGENCY_ROLLBACK)
    assert blocks(kind, None, NOW) == ""


def test_a_lifted_or_expired_freeze_freezes_nothing() -> None:
    lifted = msgspec.structs.replace(TOGGLE, on=False)
    assert frozen(CALM, SERVICE.name, NOW, lifted) is None
    assert frozen(CALM, SERVICE.name, TOGGLE.expires_at, TOGGLE) is None
