"""What a look at everything found out, before anybody judges it.

`shared.protocol.readiness.report` fills it in. What it could not learn it leaves out, and that is
`unknown` to `judging`, never passed.
"""

from datetime import datetime

import msgspec

from shared.domain.catalog import Catalog, Mode, Service, TargetKind
from shared.domain.readiness.rights import Rights
from shared.domain.readiness.sight import Sight

MOVES = frozenset({Mode.APPROVE, Mode.AUTOMATIC})
"""The modes in which traffic may move, and the right to write is asked for."""


class Sealing(msgspec.Struct, frozen=True, kw_only=True):
    """How far the ledger is sealed; `waiting_since` is when the oldest unsealed record came."""

    every_s: float
    sealed_at: datetime | None = None
    waiting_since: datetime | None = None


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """The alert rules that are on, by name; `everywhere` that Backstop may have any was looked.

    `posted_to` are the addresses that action groups post alerts to, as the responder takes them.
    """

    found: frozenset[str]
    posted_to: frozenset[str] = frozenset()
    everywhere: bool = True


class Other(msgspec.Struct, frozen=True, kw_only=True):
    """The other app, and when it last looked at itself; None where it never has."""

    app: str
    every_s: float
    looked_at: datetime | None = None


class Observed(msgspec.Struct, frozen=True, kw_only=True):
    """What was learnt; None is what was not asked, or did not answer.

    `rights` and `awaited` are by target id; `awaited` is what a version to go back to waits for, ""
    where there is one. `pagers` are the names that have a routing key.
    `since` is when the app that looks began to do so without a gap: what it found undone then is
    late only once it had its time since. `doors` are the addresses at which the responder takes
    alerts, as far as it knows them.
    """

    now: datetime
    catalog: Catalog
    by_the_app: bool = True
    since: datetime | None = None
    sights: tuple[Sight, ...] = ()
    rights: dict[str, Rights] = {}
    rules: Rules | None = None
    awaited: dict[str, str] | None = None
    pagers: frozenset[str] | None = None
    has_fallback: bool = False
    door: int | None = None
    doors: frozenset[str] = frozenset()
    sealing: Sealing | None = None
    other: Other | None = None


def targets_of(service: Service) -> list[str]:
    """The endpoints of a service whose traffic can be moved."""
    return [one.id for one in service.targets if one.kind is TargetKind.ONLINE_ENDPOINT]
