"""Whatever is shipped with its release wakes nobody, and what is done by hand is told once."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.domain.decisions.endpoint import EndpointSnapshot
from shared.domain.decisions.release import Release
from shared.domain.lineage.explanation import GRACE
from shared.domain.lineage.sighting import Look, Sighting, first_sighting
from shared.domain.lineage.unattributed import compare, due, told
from tests.shared.domain.lineage.looks import (
    LATER,
    MINUTE,
    NOW,
    ONE,
    SNAPSHOT,
    TWO,
    deployment,
    release,
)

APART = 2 * GRACE + 2 * LATER  # so that one change is over before the next


class Shipped(msgspec.Struct, frozen=True, kw_only=True):
    """A change at a time: `ahead` is how long before it its release is registered, None never."""

    at: datetime
    name: str
    what: str
    ahead: timedelta | None
    number: int

    @property
    def release(self) -> Release | None:
        if self.ahead is None:
            return None
        version = f"9.{self.number}"
        prompt = f"p{self.number}" if self.what == "prompt" else ""
        at = self.at - self.ahead
        return release(
            version, self.name, prompt_revision=prompt, configuration_digest="", registered_at=at
        )


def after(snapshot: EndpointSnapshot, change: Shipped) -> EndpointSnapshot:
    """The endpoint once a change is through."""
    if change.what == "traffic":
        other = "v2" if change.name == "v1" else "v1"
        return replace(
            snapshot, traffic={change.name: 60 + change.number, other: 40 - change.number}
        )
    changes: dict[str, Any] = (
        {"definition": {"model": f"m{change.number}"}}
        if change.what == "definition"
        else {"prompt_version": f"p{change.number}"}
    )
    every = [replace(d, **changes) if d.name == change.name else d for d in snapshot.deployments]
    return replace(snapshot, deployments=tuple(every))


def look_at(now: datetime, changes: list[Shipped]) -> Look:
    """What a look sees at that time."""
    snapshot = replace(
        SNAPSHOT, traffic={"v1": 50, "v2": 50}, deployments=(deployment("v1"), deployment("v2"))
    )
    for change in changes:
        if change.at <= now:
            snapshot = after(snapshot, change)
    made = [one for change in changes if (one := change.release) is not None]
    known = [one for one in (*made, TWO, ONE) if one.registered_at <= now]
    recent = sorted(known, key=lambda one: one.registered_at, reverse=True)
    return Look(
        service=ONE.service,
        snapshot=snapshot,
        newest={one.deployment: one for one in reversed(recent)},
        recent=tuple(recent),
        reported=(),
        now=now,
    )


def watched(changes: list[Shipped], looks: int) -> tuple[Sighting, list[str]]:
    """Look every five minutes, and tell what is due."""
    seen = first_sighting(look_at(NOW, changes))
    said: list[str] = []
    for number in range(looks):
        seen = compare(seen, look_at(NOW + number * LATER, changes))
        said += [one.finding.kind for one in due(seen)]
        seen = told(seen, "INC-1")
    return seen, said


def shipped(ahead: st.SearchStrategy[timedelta | None]) -> st.SearchStrategy[list[Shipped]]:
    one = st.tuples(
        st.sampled_from(["v1", "v2"]),
        st.sampled_from(["traffic", "definition", "prompt"]),
        st.integers(0, 40),
        ahead,
    )
    return st.lists(one, min_size=1, max_size=5).map(_in_order)


def _in_order(drawn: list[tuple[str, str, int, timedelta | None]]) -> list[Shipped]:
    at, changes = NOW, []
    for number, (name, what, wait, ahead) in enumerate(drawn, 1):
        at += APART + wait * MINUTE
        changes.append(Shipped(at=at, name=name, what=what, ahead=ahead, number=number))
    return changes


ABOUT_THEN = st.integers(-15, 15).map(lambda minutes: minutes * MINUTE)


def looks_over(changes: list[Shipped]) -> int:
    return (changes[-1].at + APART - NOW) // LATER


@given(shipped(ABOUT_THEN))
@settings(max_examples=150, deadline=None)
def test_what_is_registered_about_the_time_it_ships_wakes_nobody(changes: list[Shipped]) -> None:
    _, said = watched(changes, looks_over(changes))

    assert said == []


@given(shipped(st.none()))
@settings(max_examples=150, deadline=None)
def test_what_nobody_registers_is_told_once_and_stands(changes: list[Shipped]) -> None:
    seen, said = watched(changes, looks_over(changes))

    kinds = {"traffic": "traffic-moved", "prompt": "prompt-edited"}
    expected = [kinds.get(change.what, "definition-changed") for change in changes]
    assert said == expected
    assert seen.standing
