"""Setting: a control that a person sets is stored once, with the event that tells of it.

Kill switch, change freeze and legal hold differ in what they say; how they are checked, stored and
told is one.
"""

from collections.abc import Callable

import msgspec

from shared.domain.catalog import Catalog
from shared.domain.coverage import EVERYTHING
from shared.domain.event import ChangeEvent
from shared.domain.row import MUST_NOT_EXIST, Put
from shared.errors import Conflict, RejectedInput
from shared.protocol.commit import commit
from shared.protocol.records import CONTROLS
from shared.services import Services

ATTEMPTS = 5
LONGEST_REASON = 1_000


class Setting[T](msgspec.Struct, frozen=True, kw_only=True):
    """One kind of control: its name for people, its rows' prefix and kind, and its event."""

    name: str
    prefix: str
    kind: type[T]
    tell: Callable[[T | None, T], ChangeEvent]


def check_setting(catalog: Catalog, scope: str, reason: str) -> None:
    """Raise RejectedInput for a scope that is none, or a reason that says nothing or too much.

    A service whose file is broken may be named: a broken file keeps nobody from it.
    """
    broken = {one.service for one in catalog.mistakes if one.service}
    known = sorted({EVERYTHING, *catalog.services, *broken})
    if scope not in known:
        raise RejectedInput("unknown-scope", f"no scope {scope!r}; known: {', '.join(known)}")
    check_reason(reason)


def check_reason(reason: str) -> None:
    """Raise RejectedInput for a reason that says nothing or too much."""
    if not reason.strip():
        raise RejectedInput("missing-field", "reason is needed: it is recorded")
    if len(reason) > LONGEST_REASON:
        raise RejectedInput("too-long", f"reason may have {LONGEST_REASON} characters")


async def store_setting[T: msgspec.Struct](
    services: Services, setting: Setting[T], scope: str, make: Callable[[], T]
) -> T:
    """Store what `make` says once the row was read, redacted; answer what is stored.

    Where our own write's answer was lost, what is found is ours, and is not told twice. Raises
    Conflict, Unavailable.
    """
    row, sent = f"{setting.prefix}|{scope}", None
    for _ in range(ATTEMPTS):
        was = await services.state.read(CONTROLS, row, setting.kind)
        if was is not None and was.value == sent:
            return was.value
        sent = services.redactor.struct(make())
        put = Put(row=row, value=sent, etag=was.etag if was else MUST_NOT_EXIST)
        event = setting.tell(was.value if was else None, sent)
        try:
            await commit(services, CONTROLS, [put], events=[event])
        except Conflict:
            continue
        return sent
    raise Conflict(f"the {setting.name} of {scope} kept changing; try again")
