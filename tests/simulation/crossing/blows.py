"""What can be struck and how: values that a run leaves and another one takes."""

from enum import StrEnum

import msgspec

ANSWERS = {
    **{f"{table}.write": f"{table}.written" for table in ("state", "deliveries", "ledger")},
    "index.write": "index.written",
    "blobs.create": "blobs.created",
    "work.publish": "work.published",
    "changes.publish": "changes.published",
    "endpoint.write": "endpoint.written",
    "teams.post": "teams.posted",
    "pager.send": "pager.sent",
    "app_events.send": "app_events.sent",
}
EFFECTS = {
    **{call: call for call in ANSWERS},
    "work.publish": "bus.publish",
    "changes.publish": "bus.publish",
    "endpoint.write": "endpoints.write_traffic",
}


class Blow(StrEnum):
    """What befalls a call."""

    KILLED_BEFORE = "the worker dies before it"
    KILLED_AFTER = "the worker dies after it"
    UNHEARD = "it happens, and the answer is lost"
    OUT = "the part does not answer, and nothing happened"


DEADLY = (Blow.KILLED_BEFORE, Blow.KILLED_AFTER)


class Again(StrEnum):
    """How messages come again."""

    AS_NEEDED = "when their lock runs out, or as the copy that settle orders"
    TWICE = "every one twice at once"
    LATE = "every one of the first half minute once more"


class Boundary(msgspec.Struct, frozen=True, kw_only=True):
    """One effect of one responder, and the way through the code to it."""

    way: tuple[str, ...]
    call: str

    @property
    def entry(self) -> str:
        """The responder, the job, or the part of the protocol that runs by itself."""
        return self.way[0]

    @property
    def effect(self) -> str:
        """In the words of the adapters."""
        return EFFECTS[self.call]

    def __str__(self) -> str:
        return f"{self.effect} of {' > '.join(self.way)}"


class Crossing(msgspec.Struct, frozen=True, kw_only=True):
    """A boundary that a run crossed, at which turns; `answer` is 0 where none was to be heard."""

    boundary: Boundary
    turn: int
    answer: int = 0


class Strike(msgspec.Struct, frozen=True, kw_only=True):
    """One call struck, as it was crossed in the run before."""

    crossing: Crossing
    blow: Blow

    @property
    def turn(self) -> int:
        """The turn at which it happens."""
        late = self.blow in (Blow.KILLED_AFTER, Blow.UNHEARD)
        return self.crossing.answer if late else self.crossing.turn

    def __str__(self) -> str:
        return f"{self.crossing.boundary}: {self.blow.value}"
