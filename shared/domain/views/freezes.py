"""Change freezes on the console's first page: what rests now, by whom, until when."""

from datetime import datetime

import msgspec

from shared.domain.catalog import Catalog
from shared.domain.coverage import say_scope
from shared.domain.decisions.control import Controls
from shared.domain.freezes.freeze import Freeze
from shared.domain.freezes.frozen import Frozen, frozen_all
from shared.domain.wording import plain


class FreezeLine(msgspec.Struct, frozen=True, kw_only=True):
    """One freeze that is in force. `lifts` is whether a commander can lift it here."""

    scope: str
    covers: str
    sentence: str
    by: str
    lifts: bool


def present_freezes(catalog: Catalog, controls: Controls, now: datetime) -> tuple[FreezeLine, ...]:
    """Every freeze that is in force, by calendar or by a person."""
    return tuple(_line(one, catalog, controls, now) for one in frozen_all(catalog, controls, now))


def _line(one: Frozen, catalog: Catalog, controls: Controls, now: datetime) -> FreezeLine:
    known = catalog.services.get(one.scope)
    return FreezeLine(
        scope=one.scope,
        covers=say_scope(one.scope, known.title if known else ""),
        sentence=plain(one.cite(now)),
        by=plain(one.by),
        lifts=any(_is(one, freeze, now) for freeze in controls.freezes),
    )


def _is(one: Frozen, freeze: Freeze, now: datetime) -> bool:
    return one.by == freeze.by != "" and freeze.scope == one.scope and freeze.holds(one.scope, now)
