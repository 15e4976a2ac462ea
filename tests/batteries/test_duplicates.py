"""Duplicates: whatever comes again, in whatever order, to whichever worker, is taken once."""

from collections import Counter

import pytest

from responders.alert.ingest import ingest
from shared.domain.alerts.alert import parse_alert
from shared.domain.event import ChangeEvent, EventKind
from shared.domain.incidents.incident import Incident
from shared.domain.views.http import Request
from shared.protocol.intake import Delivery
from tests.batteries.deliveries import BODIES, NOW, Round, play_round
from tests.batteries.playing import Broken, stored
from tests.batteries.soak import SOAK
from tests.fakes import FakeServices, Outside
from tests.shared.domain.decisions import worked_case as case

ROUNDS = 8 * SOAK
DISTINCT = {name: parse_alert(body, NOW).delivery_key for name, body in BODIES.items()}
TAKEN = {"opened", "joined", "resolved"}
TELLING = {EventKind.INCIDENT_OPENED, EventKind.ALERT_JOINED, EventKind.ALERT_RESOLVED}
COUNTED = {EventKind.INCIDENT_OPENED, EventKind.ALERT_JOINED}


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_an_alert_that_comes_200_times_to_8_workers_is_taken_once(seed: int) -> None:
    broken = play_round(seed, clean=seed % 2 == 0, check=check)

    assert broken == ""


def check(played: Round) -> None:
    """What must hold after a round. Raises Broken."""
    deliveries = stored(played.outside.deliveries, "", Delivery)
    _check_rows(deliveries)
    _check_answers(played, deliveries)
    _check_events(played, deliveries)
    _check_incidents(played)


def _check_rows(deliveries: list[Delivery]) -> None:
    rows = Counter(delivery.alert.delivery_key for delivery in deliveries)
    for name, key in DISTINCT.items():
        if rows[key] != 1:
            raise Broken(f"{name} has {rows[key]} delivery rows")
    if len(rows) != len(DISTINCT):
        raise Broken(f"{len(rows)} alerts are stored where {len(DISTINCT)} were sent")


def _check_answers(played: Round, deliveries: list[Delivery]) -> None:
    """Where the answer to the insert was lost, nobody is told "accepted"; never are two."""
    for delivery in deliveries:
        accepted = played.answers[delivery.key, "accepted"]
        if accepted > 1 or (played.clean and accepted != 1):
            raise Broken(f"{delivery.key} was called accepted {accepted} times")


def _check_events(played: Round, deliveries: list[Delivery]) -> None:
    told = Counter(
        str(event.evidence.get("delivery"))
        for event in stored(played.outside.state, "event|", ChangeEvent)
        if event.kind in TELLING
    )
    for delivery in deliveries:
        count = told[delivery.alert.delivery_key]
        if count > 1 or (count == 0 and delivery.state in TAKEN):
            raise Broken(f"{delivery.key} is {delivery.state} and told of {count} times")


def _check_incidents(played: Round) -> None:
    events = stored(played.outside.state, "event|", ChangeEvent)
    for incident in stored(played.outside.state, "incident|", Incident):
        own = [event for event in events if event.incident == incident.id]
        opened = sum(event.kind is EventKind.INCIDENT_OPENED for event in own)
        counted = sum(event.kind in COUNTED for event in own)
        if opened != 1:
            raise Broken(f"{incident.id} was opened {opened} times")
        if counted != incident.alerts:
            raise Broken(f"{incident.id} counts {incident.alerts} alerts of {counted}")
        if sorted(event.sequence for event in own) != list(range(1, incident.sequence + 1)):
            raise Broken(f"the events of {incident.id} are not numbered 1 to {incident.sequence}")
    same = Counter(key for i in _open(played) for key in i.firing)
    if any(count > 1 for count in same.values()):
        raise Broken("one trouble fires in two open incidents")


def _open(played: Round) -> list[Incident]:
    incidents = stored(played.outside.state, "incident|", Incident)
    return [incident for incident in incidents if incident.state.is_open()]


@pytest.mark.parametrize("name", sorted(BODIES))
@pytest.mark.parametrize("wait_s", [1, 86_401, 2 * 86_401])
async def test_a_repeat_on_another_day_is_the_same_delivery(name: str, wait_s: int) -> None:
    outside = Outside(now=NOW, snapshot=case.SNAPSHOT, services=[case.SERVICE])
    request = Request(method="POST", body=BODIES[name])
    first = await ingest(FakeServices(outside), request)
    outside.wait(wait_s)

    again = await ingest(FakeServices(outside), request)

    assert again.body == first.body.replace(b'"accepted"', b'"duplicate"')
