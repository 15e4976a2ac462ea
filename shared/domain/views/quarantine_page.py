"""The quarantine's page as values: what could not be taken, why, and what became of it.

Shows what is said about the input and never what was in it, which may be personal.
"""

from collections.abc import Sequence

import msgspec

from shared.domain.alerts.quarantine import InputKind, KeptState, Quarantined
from shared.domain.stamp import Stamp, stamp
from shared.domain.views.chart import Tone
from shared.domain.wording import plain

COUNTED = 100  # what the first page counts to: more is said to be more

_KINDS = {
    InputKind.ALERT: "Posted to {source}",
    InputKind.MESSAGE: "Message of {source}",
    InputKind.DEAD_LETTER: "Dead letter of {source}",
}


class InputLine(msgspec.Struct, frozen=True, kw_only=True):
    """One input. `fate` is what became of it, or "" as long as it waits."""

    id: str
    title: str
    reason: str
    detail: str
    size: str
    at: Stamp
    tone: Tone
    state: str
    fate: str
    incident: str
    may_be_resubmitted: bool
    may_be_discarded: bool


class QuarantinePage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of the quarantine; `next` leads to older ones."""

    inputs: tuple[InputLine, ...]
    next: str


def present_quarantine(inputs: Sequence[Quarantined], following: str) -> QuarantinePage:
    """Say what is known of each input."""
    return QuarantinePage(inputs=tuple(_line(one) for one in inputs), next=following)


def tell_waiting(count: int) -> str:
    """How much waits in quarantine, as the first page says it; "" for nothing."""
    if not count:
        return ""
    many = f"More than {COUNTED}" if count > COUNTED else f"{count}"
    return f"{many} input{'' if count == 1 else 's'} could not be taken"


def _line(kept: Quarantined) -> InputLine:
    waits = kept.state is KeptState.KEPT
    again = f"; kept {kept.times} times" if kept.times > 1 else ""
    return InputLine(
        id=kept.id,
        title=_KINDS[kept.kind].format(source=plain(kept.source)),
        reason=plain(kept.reason),
        detail=plain(kept.detail),
        size=f"{kept.size:,} bytes{again}",
        at=stamp(kept.at, "UTC"),
        tone=Tone.BAD if waits else Tone.GOOD,
        state=kept.state,
        fate=_fate(kept),
        incident=kept.incident,
        may_be_resubmitted=waits and (kept.is_whole or kept.kind is InputKind.DEAD_LETTER),
        may_be_discarded=waits,
    )


def _fate(kept: Quarantined) -> str:
    if kept.state is KeptState.KEPT:
        return "" if kept.is_whole else "Too long to be kept whole: it must be sent again."
    if kept.state is KeptState.DISCARDED:
        return f"{plain(kept.by)} discarded it."
    delivery = f" (delivery {kept.delivery})" if kept.delivery else ""
    return f"{plain(kept.by)} resubmitted it: {kept.became}{delivery}"
