"""The table: people and apps apart, actions apart from their route, closed by default."""

import pytest

from shared.domain.authority.caller import AppRole
from shared.domain.authority.permissions import (
    AZURE_MONITOR,
    CLOSED,
    PERMISSIONS,
    permission_of,
    role_of,
)
from tests.fakes.callers import app, person

EVERY = tuple(AppRole)


def test_the_role_is_the_first_that_the_table_names() -> None:
    read = permission_of("show_incidents")
    assert role_of(person(AppRole.AUDITOR, AppRole.RESPONDER), read) is AppRole.RESPONDER
    assert role_of(person(AppRole.SIGNAL), read) is None


@pytest.mark.parametrize("route", ["handle", "press_incident"])
def test_only_a_commander_changes_the_severity(route: str) -> None:
    responder = person(AppRole.RESPONDER)
    assert role_of(responder, permission_of(route, "acknowledge")) is AppRole.RESPONDER
    assert role_of(responder, permission_of(route, "severity")) is None
    assert role_of(person(AppRole.COMMANDER), permission_of(route, "severity"))


def test_what_is_not_in_the_table_is_closed_to_everybody() -> None:
    assert permission_of("no-such-route") == CLOSED
    assert role_of(person(*EVERY), CLOSED) is None
    assert role_of(app(*EVERY, app_id=AZURE_MONITOR), CLOSED) is None


def test_alerts_come_from_azure_monitor_alone() -> None:
    alerts = permission_of("ingest")
    assert role_of(app(AppRole.WEBHOOK, app_id=AZURE_MONITOR), alerts) is AppRole.WEBHOOK
    assert role_of(app(*EVERY), alerts) is None
    assert role_of(person(*EVERY), alerts) is None


def test_every_row_for_an_action_belongs_to_a_route() -> None:
    owners = [row.partition("/")[0] for row in PERMISSIONS]
    assert [owner for owner in owners if owner not in PERMISSIONS] == []
