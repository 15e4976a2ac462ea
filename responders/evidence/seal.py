"""Seal: sign what the ledger is now, and keep that with copies of the records apart from the table.

The executor's tick runs it every BACKSTOP_SEAL_EVERY_S where something was appended since. Only
what follows from the last seal is signed: a record that was touched before, or a tail that was cut
behind the seal, wakes a person, and the chain is sealed no further. Where blobs or key are out,
recording goes on and the next tick tries again.
"""

import base64
import logging

import msgspec

from shared.domain.ledger.chain import Head, follow, head_at, start_of
from shared.domain.ledger.rsa import fingerprint_of
from shared.domain.ledger.seal import Seal, moved, state
from shared.errors import Conflict, Unavailable
from shared.protocol.evidence.ledger import PAGE, clear_marks, read_marks, read_records
from shared.protocol.evidence.seals import newest_seal, store_copies, store_seal
from shared.protocol.evidence.tampering import tell_tampered
from shared.protocol.leftovers import Leftovers
from shared.services import Services

log = logging.getLogger("backstop.seal")


async def seal(services: Services, _: Leftovers) -> None:
    """Make the next seal, when it is time. Raises Misconfigured where key or account is not set."""
    turns, now = services.memory.turns, services.now()
    if not turns.is_due("seal", services.settings.seal_every_s, now):
        return
    try:
        whole = await _seal(services)
    except (Unavailable, Conflict) as error:
        log.warning("not sealed now: %s", error)
        return
    if whole:  # or the next tick goes on
        turns.take("seal", now)


class _Copied(msgspec.Struct, frozen=True, kw_only=True):
    """How far one chain was copied; `is_all` of it, or the next tick goes on, or neither."""

    head: Head
    is_all: bool = False
    goes_on: bool = False


async def _seal(services: Services) -> bool:
    """Seal what was appended; whether that was all of it."""
    last = await newest_seal(services)
    known = {head.partition: head for head in last.heads} if last else {}
    heads, done, whole = [], [], True
    for mark in await read_marks(services):
        sealed = known.get(mark.row) or start_of(mark.row)
        copied = await _copy_quietly(services, sealed)
        heads += [copied.head] if copied.head.sequence > sealed.sequence else []
        done += [mark] if copied.is_all else []
        whole = whole and not copied.goes_on
    if heads:
        await _sign(services, last, moved(last, heads))
    await clear_marks(services, done)
    return whole


async def _copy_quietly(services: Services, sealed: Head) -> _Copied:
    """What is the matter with one chain holds up no other; it is asked again by the next tick."""
    try:
        return await _copy(services, sealed)
    except Unavailable as error:
        log.warning("ledger %s: not sealed now: %s", sealed.partition, error)
        return _Copied(head=sealed, goes_on=True)


async def _copy(services: Services, sealed: Head) -> _Copied:
    """Copy what follows a sealed head; a chain that was touched stays marked, so it is verified."""
    known = min(sealed.sequence, 1)  # the record that was sealed last is looked at again
    after = sealed.sequence - known
    found = await read_records(services, sealed.partition, after=after, limit=PAGE + known)
    stored = [row.value for row in found]
    if known and (not stored or head_at(stored[0]) != sealed):
        why = f"{sealed.partition}/{sealed.sequence} is not there as it was sealed"
        await tell_tampered(services, why)
        return _Copied(head=sealed)
    stored = stored[known:]
    rows = follow(sealed, stored)
    if len(rows) < len(stored):
        bad = stored[len(rows)]
        await tell_tampered(services, f"{sealed.partition}/{bad.sequence} {bad.event_id}")
    if rows:
        await store_copies(services, rows)
    more = len(rows) == PAGE
    return _Copied(
        head=head_at(rows[-1]) if rows else sealed,
        is_all=len(rows) == len(stored) and not more,
        goes_on=more,
    )


async def _sign(services: Services, last: Seal | None, heads: tuple[Head, ...]) -> None:
    key = await services.signer.public_key()
    statement = state(last, heads, fingerprint_of(key), services.now())
    signature = await services.signer.sign(statement.signed_bytes())
    made = Seal(
        statement=statement,
        signature=base64.b64encode(signature).decode(),
        public_key=base64.b64encode(key).decode(),
        heads=heads,
    )
    await store_seal(services, made)
    log.info("seal %d over %d chains, by %s", statement.number, len(heads), statement.key)
