"""Coverage: what something that people set is for, one service or all of them.

Kill switches, change freezes and legal holds are stored by their scope, asked whom they cover, and
told of alike when somebody sets or lifts them.
"""

from datetime import datetime
from typing import Protocol

import msgspec

from shared.domain.event import Telling

EVERYTHING = "*"
NEVER_SET = {"on": False}  # what events say was before, where nothing was


def covers(scope: str, service: str) -> bool:
    """Whether what is set for the scope holds for the service."""
    return scope in (EVERYTHING, service)


def say_scope(scope: str, title: str = "") -> str:
    """The scope for people; `title` is the service's, where it is known."""
    return "all services" if scope == EVERYTHING else title or scope


class _Set(Protocol):
    """What a person set: who, in which role, why and when."""

    @property
    def by(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def at(self) -> datetime: ...


def telling[T: _Set](what: str, was: T | None, now: T) -> Telling:
    """What the event says of something that is set or lifted; `was` is None where it is new."""
    return Telling(
        actor=now.by,
        role=now.role,
        what=what,
        why=now.reason,
        before=msgspec.to_builtins(was) if was else NEVER_SET,
        after=msgspec.to_builtins(now),
    )
