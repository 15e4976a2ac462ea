"""Telling: one incident of all that one look found, with an event of each change."""

from msgspec.structs import replace

from shared.domain.incidents.incident import Severity, State, Step
from shared.domain.lineage.explanation import GRACE
from shared.domain.lineage.sighting import Sighting
from shared.domain.lineage.telling import open_unattributed
from shared.domain.lineage.unattributed import compare, due
from tests.shared.domain.decisions.worked_case import SERVICE
from tests.shared.domain.lineage.looks import (
    LATER,
    NOW,
    ONE,
    TWO,
    declared,
    looked,
    moved,
    reports,
)


def seen() -> Sighting:
    """Traffic on a version whose configuration was changed, and nobody came to explain it."""
    look = looked(
        NOW, TWO, ONE, snapshot=moved(v2=100), reported=(reports("v2", "p-2.0", "c-1.0"),)
    )
    return compare(compare(declared(), look), replace(look, now=NOW + GRACE))


def opened() -> Step:
    sighting = seen()
    return open_unattributed(SERVICE, sighting, due(sighting), "35")


def test_it_is_an_incident_that_asks_for_a_person() -> None:
    incident = opened().incident

    assert incident is not None
    assert (incident.state, incident.severity) == (State.ESCALATED, Severity.SEV2)
    assert incident.title.endswith("unattributed change")
    assert incident.sentence == (
        "The traffic went from v1 100 % to v2 100 %: no release or rollback explains it."
        " v2 serves configuration c-1.0, and release 2.0 declares c-2.0, which is that of release"
        " 1.0: it was put back. Seen since 2026-11-23 09:00 UTC."
    )


def test_every_change_is_an_event_with_declared_served_and_since_when() -> None:
    _, traffic, configuration = opened().events

    assert [event.kind for event in (traffic, configuration)] == ["change.unattributed"] * 2
    assert configuration.before == {"declared": "c-2.0", "release": "2.0"}
    assert configuration.after == {"served": "c-1.0", "deployment": "v2"}
    assert configuration.configuration_digest == "c-1.0"
    assert configuration.happened_at == NOW
    assert configuration.evidence["not_so_at"] == (NOW - LATER).isoformat()
    assert traffic.evidence["traffic"] == {"v2": 100}
    assert traffic.configuration_digest == ""


def test_two_that_see_the_same_open_the_same() -> None:
    one, two = opened().incident, opened().incident

    assert one is not None
    assert two is not None
    assert one.id == two.id
    assert one.id.startswith("INC-35-261123-")
