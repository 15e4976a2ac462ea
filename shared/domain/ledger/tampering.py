"""Tampering: a record of the ledger is not what it was, so a person is woken at once.

Found by the sealer before it signs, or when a bundle is verified. One incident of Backstop's own a
chain, a person's from the beginning: what follows in the same chain joins it.
"""

import re
from datetime import datetime

import msgspec

from shared.domain.event import ITSELF
from shared.domain.incidents.incident import Incident, Severity, State, Step, tell_opening
from shared.domain.keys import digest

REASON = "the evidence of what was done may have been changed"
_CHAIN = re.compile(r"\d\d-\d{6}(?=/)")


class Tampered(msgspec.Struct, frozen=True, kw_only=True):
    """What was found: `bad` names the first bad record, or what else is wrong, for people."""

    bad: str

    @property
    def chain(self) -> str:
        """The chain that it is about; of what is in no chain, its own words."""
        found = _CHAIN.match(self.bad)
        return found[0] if found else self.bad


def open_tampered(found: Tampered, shard: str, now: datetime) -> Step:
    """Open the incident that wakes the duty contact."""
    unique = digest("tampered", found.chain, now.isoformat())[:8].upper()
    incident = Incident(
        id=f"INC-{shard}-{now:%y%m%d}-{unique}",
        service=ITSELF,
        target="",
        title=f"The ledger was touched: {found.bad}",
        severity=Severity.SEV1,
        severity_reasons=(REASON,),
        state=State.ESCALATED,
        opened_at=now,
        changed_at=now,
        sentence=(
            "A record was changed, removed or put in after it was written. It is never signed, and"
            " what follows it in its chain is not either: see the runbook tampered-ledger."
        ),
    )
    return tell_opening(
        incident,
        incident.title,
        happened_at=now,
        evidence={"bad": found.bad, "chain": found.chain},
    )
