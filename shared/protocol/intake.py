"""Intake: an alert is durable before Azure Monitor is told 202.

One insert, no transaction: a delivery's row is its own outbox row as long as it is `pending`, so a
slow bus holds nobody up. A repeat is known by its key: from memory, else by the table's 409.
"""

import asyncio
from datetime import date, datetime, timedelta
from functools import lru_cache
from hashlib import sha256

import msgspec

from shared.domain.alerts.alert import Alert
from shared.domain.incidents.incident import Page
from shared.domain.message import WORK, Message
from shared.domain.row import MUST_NOT_EXIST, Put, Stored
from shared.errors import Conflict, NotFound
from shared.protocol.commit import RELAY_AFTER, publish_quietly
from shared.protocol.leftovers import Leftovers, in_turn
from shared.protocol.unreadable import only_readable
from shared.services import Services

REMEMBERED = 50_000  # keys and bodies that a process knows again, about 10 MB
RELAY_DAYS = (1, 0, -1)  # before today; clocks of others may be a day ahead
NO_DAY = "000000"
IN_TURN = 16  # of 64 partitions a tick
LATE_DAYS = range(2, 9)  # before today: what nobody was there to take, looked for in no hurry
LATE_IN_TURN = 2  # of 112 partitions a tick
PENDING = "pending"
WEBHOOK = "webhook"
SWEEP = "sweep"
SIGNAL = "signal"
HEALTH_CHECK = "health-check"
BUDGET = "budget"
OFF = timedelta(minutes=15)  # two tellings of one alert may differ so much in its time


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One accepted alert and what became of it.

    `state` is accepted, opened, joined, resolved, suppressed or rejected; `rule` says why. `source`
    is who brought it: the webhook, the sweep that found what never arrived, a signal, our own
    health check, or the watch over error budgets. `pages` were sent for it directly, before triage
    took it: see alarm.
    """

    key: str
    alert: Alert
    accepted_at: datetime
    pending: bool = True
    state: str = "accepted"
    incident: str = ""
    rule: str = ""
    source: str = WEBHOOK
    pages: tuple[Page, ...] = ()


def delivery_id(alert: Alert, now: datetime) -> str:
    """The delivery's public key: the day that it tells of and its digest, so a read is one point.

    Not the day that it fired: an end may come weeks later. What tells of a day that relay does not
    look at is kept under no day at all, where relay looks, too.
    """
    day = f"{alert.at:%y%m%d}"
    return f"{day if day in _relayed_days(now) else NO_DAY}-{alert.delivery_key}"


def _relayed_days(now: datetime) -> list[str]:
    return _days_around(now.date())


@lru_cache(maxsize=4)
def _days_around(today: date) -> list[str]:
    return [f"{today - timedelta(days=day):%y%m%d}" for day in RELAY_DAYS]


def _partition(delivery: str) -> str:
    return delivery[:8]  # the day and the first hex digit: sixteen partitions a day


async def accept(services: Services, alert: Alert, *, source: str = WEBHOOK) -> tuple[str, bool]:
    """Make an alert durable; answer its delivery id and whether it is new.

    Raises Unavailable where it could not be made durable: nothing is promised then.
    """
    key = delivery_id(alert, services.now())
    if key in services.memory.durable:
        return key, False
    earlier = await _earlier(services, alert, key)
    if earlier:
        return earlier, False
    row = Delivery(key=key, alert=alert, accepted_at=services.now(), source=source)
    try:
        put = Put(row=key, value=row, etag=MUST_NOT_EXIST, flags=(PENDING,), redacted=True)
        await services.deliveries.write(_partition(key), [put])
    except Conflict:
        _keep(services, key, key)
        return key, False
    _keep(services, key, key)
    await publish_quietly(services, WORK, [_triage(key)])
    return key, True


async def _earlier(services: Services, alert: Alert, key: str) -> str:
    """The id under which an alert came while relay still looked at its day; "" if it did not."""
    earlier = f"{alert.at:%y%m%d}-{alert.delivery_key}"
    if not key.startswith(NO_DAY):
        return ""
    if earlier not in services.memory.durable:
        if await services.deliveries.read(_partition(earlier), earlier, Delivery) is None:
            return ""
        _keep(services, earlier, earlier)
    return earlier


async def find_delivery(services: Services, alert: Alert) -> str:
    """The delivery by which an alert came, whatever its times were said to be; "" without one.

    A range read a day, and one day but for the minutes around midnight.
    """
    days = {f"{alert.at + off:%y%m%d}" for off in (-OFF, timedelta(0), OFF)}
    for day in sorted(days):
        name = f"{day}-{alert.identity}"
        if name not in services.memory.durable:
            rows = await services.deliveries.scan(_partition(name), name, Delivery, limit=1)
            if not rows:
                continue
            _keep(services, name, rows[0].row)
        return services.memory.durable[name]
    return ""


def recall(services: Services, body: bytes) -> str:
    """The delivery id of a body that was made durable here before, byte for byte; else ""."""
    return services.memory.durable.get(_print_of(body), "")


def remember(services: Services, body: bytes, key: str) -> None:
    """Know a body again without reading it: most repeats are the very same bytes."""
    _keep(services, _print_of(body), key)


def _print_of(body: bytes) -> str:
    return sha256(body).hexdigest()


def _keep(services: Services, name: str, key: str) -> None:
    services.memory.durable[name] = key
    if len(services.memory.durable) > REMEMBERED:
        services.memory.durable.popitem(last=False)


def _triage(key: str) -> Message:
    return Message(subject="triage", body=key, message_id=f"triage:{key}")


async def read_delivery(services: Services, key: str) -> Stored[Delivery]:
    """The delivery of that id. Raises NotFound."""
    found = await services.deliveries.read(_partition(key), key, Delivery)
    if found is None:
        raise NotFound(f"no delivery {key}")
    return found


async def settle_delivery(
    services: Services, was: Delivery, *, state: str, incident: str = "", rule: str = ""
) -> None:
    """Write down what became of a delivery; it leaves the outbox."""
    now = msgspec.structs.replace(was, pending=False, state=state, incident=incident, rule=rule)
    await services.deliveries.write(_partition(was.key), [Put(row=was.key, value=now)])


async def note_pages(services: Services, alert: Alert, pages: tuple[Page, ...]) -> None:
    """Keep in a pending delivery whom somebody has paged directly. Raises Conflict, Unavailable."""
    was = await read_delivery(services, delivery_id(alert, services.now()))
    if was.value.pending and len(pages) > len(was.value.pages):
        now = msgspec.structs.replace(was.value, pages=pages)
        put = Put(row=was.row, value=now, etag=was.etag, flags=(PENDING,))
        await services.deliveries.write(_partition(was.row), [put])


async def relay_deliveries(services: Services, leftovers: Leftovers) -> list[Delivery]:
    """Send the deliveries that triage has not taken yet, and answer them.

    Every tick looks at a few partitions, and at very few of days gone by: where the bus was out and
    then this app, an alert waits for longer than a day.
    """
    now, turn = services.now(), leftovers.turn
    late = [f"{now.date() - timedelta(days=day):%y%m%d}" for day in LATE_DAYS]
    chosen = in_turn(_partitions([*_relayed_days(now), NO_DAY]), turn, IN_TURN)
    chosen |= in_turn(_partitions(late), turn, LATE_IN_TURN)
    found = await asyncio.gather(*(_relay_partition(services, p, now) for p in sorted(chosen)))
    return [delivery for some in found for delivery in some]


def _partitions(days: list[str]) -> list[str]:
    return [f"{day}-{digit:x}" for digit in range(16) for day in days]


async def _relay_partition(services: Services, partition: str, now: datetime) -> list[Delivery]:
    found = await services.deliveries.scan_readable(partition, "", Delivery, flag=PENDING)
    known = [row.value for row in only_readable(services, "deliveries", partition, found)]
    late = [one for one in known if one.pending and now - one.accepted_at > RELAY_AFTER]
    if late:
        await publish_quietly(services, WORK, [_triage(delivery.key) for delivery in late])
    return late
