"""What a bundle's events tell of: changes of traffic, mandatory reviews, and incidents.

`Trail` fills these while it reads; the controls judge them. Of each event only a pointer is kept.
"""

from datetime import datetime

import msgspec


class Pointer(msgspec.Struct, frozen=True, kw_only=True):
    """One event that a control rests on: its id, whose doing, by which role, and when."""

    event: str
    by: str
    role: str
    at: datetime


class Asking(msgspec.Struct, kw_only=True):
    """One request for approval of a plan, and the approvals of that very request."""

    requested: Pointer | None = None
    approvals: list[Pointer] = []
    settled_at: datetime | None = None


class Move(msgspec.Struct, kw_only=True):
    """One change of traffic, from the decision to the check after it.

    `decided` is the first decision that lets it begin; `authority` is by whose word it began.
    `unseconded` are what took the place of a second person: a waiver, or an approval alone.
    """

    incident: str
    plan_hash: str
    plan: str = ""
    decided: Pointer | None = None
    policy_hash: str = ""
    askings: dict[str, Asking] = {}
    authority: str = ""
    intended: Pointer | None = None
    ended: Pointer | None = None
    confirmed: bool = False
    unseconded: list[Pointer] = []

    @property
    def is_told(self) -> bool:
        """Whether traffic was to be moved at all: an intent was written."""
        return self.intended is not None

    @property
    def settled(self) -> Asking | None:
        """The request that enough people approved before it began; None without."""
        begun = self.intended.at if self.intended is not None else None
        done = (one for one in self.askings.values() if one.settled_at is not None)
        return next(
            (one for one in done if begun is None or (one.settled_at or begun) <= begun), None
        )

    @property
    def approvals(self) -> list[Pointer]:
        """The approvals by which it began; those of another request are none."""
        return self.settled.approvals if self.settled is not None else []

    @property
    def pointers(self) -> list[Pointer]:
        """All events of it, in the order of the road."""
        asked = [one.requested for one in self.askings.values()]
        given = [pointer for one in self.askings.values() for pointer in one.approvals]
        road = [*asked, self.decided, *given, self.intended, self.ended]
        return [pointer for pointer in road if pointer is not None]


class Duty(msgspec.Struct, kw_only=True):
    """A mandatory review: who made it necessary, by when it is due, and who closed it.

    `about` is what it is about: an incident and a plan.
    """

    opened: Pointer
    due_at: datetime
    about: tuple[str, str]
    closed: Pointer | None = None


class Course(msgspec.Struct, kw_only=True):
    """One incident, by what was told of it.

    `report_due` is by when the authority was to know, None where nothing was owed.
    """

    opened: Pointer
    severity: str = ""
    reasons: str = ""
    pages: list[Pointer] = []
    acknowledged: Pointer | None = None
    diagnosed: Pointer | None = None
    verified: list[Pointer] = []
    ended: Pointer | None = None
    report_due: datetime | None = None
    reported: Pointer | None = None
