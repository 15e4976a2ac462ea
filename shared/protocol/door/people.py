"""People: the display name of a caller's id, as their token last said it.

Events, incidents and the ledger hold ids only. Here alone is whose id it is: erasing a row erases
the person from every page, and every record stays valid. A name is for reading; it decides nothing.
"""

import asyncio
import contextlib
import html
from collections.abc import Iterable
from typing import Any

import msgspec

from shared.domain.authority.caller import Caller
from shared.domain.keys import digest
from shared.domain.row import Put
from shared.domain.views.http import HTML, Answer
from shared.domain.views.names import ids_in, put_names, put_names_in
from shared.errors import Unavailable
from shared.services import Services

PEOPLE = "people"  # the partition
KNOWN = 1024  # names that a process remembers
KEEP_S = 60.0  # then a name is read again: it may have changed, or be erased


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A person by their id, "tenant/object", and what they are called."""

    id: str
    name: str


async def remember_name(services: Services, caller: Caller) -> None:
    """Keep what a person is called, if it is news. Without tables nobody is kept from acting."""
    if not caller.is_person or not caller.name:
        return
    with contextlib.suppress(Unavailable):
        if await _name_of(services, caller.id) == caller.name:
            return
        person = Person(id=caller.id, name=caller.name)
        await services.state.write(PEOPLE, [Put(row=digest(caller.id), value=person)])
        _keep(services, caller.id, caller.name)


async def read_names(services: Services, ids: Iterable[str]) -> dict[str, str]:
    """What the people of these ids are called; who is not known is left out."""
    wanted = sorted({one for one in ids if "/" in one})
    try:
        names = await asyncio.gather(*(_name_of(services, one) for one in wanted))
    except Unavailable:
        return {}
    return {one: name for one, name in zip(wanted, names, strict=True) if name}


async def name_page(services: Services, answer: Answer) -> Answer:
    """A page as people read it: with names for the ids in it."""
    if answer.content_type != HTML:
        return answer
    text = answer.body.decode()
    ids = ids_in(text)
    if not ids:
        return answer
    named = put_names(text, await read_names(services, ids), html.escape)
    return msgspec.structs.replace(answer, body=named.encode("utf-8", "replace"))


async def name_card(services: Services, card: dict[str, Any]) -> dict[str, Any]:
    """A card as people read it."""
    ids = ids_in(msgspec.json.encode(card).decode())
    named: dict[str, Any] = put_names_in(card, await read_names(services, ids))
    return named


async def _name_of(services: Services, caller_id: str) -> str:
    name, at = services.memory.names.get(caller_id, ("", float("-inf")))
    if services.now().timestamp() - at < KEEP_S:
        return name
    found = await services.state.read(PEOPLE, digest(caller_id), Person)
    return _keep(services, caller_id, found.value.name if found else "")


def _keep(services: Services, caller_id: str, name: str) -> str:
    services.memory.names[caller_id] = (name, services.now().timestamp())
    services.memory.names.move_to_end(caller_id)
    while len(services.memory.names) > KNOWN:
        services.memory.names.popitem(last=False)
    return name
