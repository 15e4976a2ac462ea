"""What the demo has seen so far, act by act; `summary` makes the figures of it."""

from typing import Any

import msgspec

from infra.local.demo.approving import Approved, outcome_of
from infra.local.demo.exporting import Exported
from infra.local.demo.proof import Proof


class Seen(msgspec.Struct, kw_only=True):
    """What the story has seen so far; filled in act by act."""

    incident: str = ""
    first_bad_at: float = 0.0
    killed: bool = False
    view: dict[str, Any] = {}
    status: dict[str, Any] = {}
    restored_at: float | None = None
    proof: Proof | None = None
    cards: int = 0
    pages: int = 0
    affected: int = 0
    intended_changes: int = 0
    second: Approved = msgspec.field(default_factory=Approved)
    evidence: Exported = msgspec.field(default_factory=Exported)

    @property
    def outcome(self) -> str:
        """How the first incident ended; "none" where it never began."""
        return outcome_of(self.view.get("incident", {}))
