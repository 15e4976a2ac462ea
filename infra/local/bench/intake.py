"""How fast alerts are acknowledged durably, beside the bare insert of the same row.

The bare insert is `create_entity` of the table SDK, as it comes, against the same Azurite. First
the intake alone: its messages reach nobody. Then with the pipeline working on what was accepted.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import msgspec
from azure.data.tables.aio import TableClient

from infra.local.bench.alerts import alert
from infra.local.bench.cast import CastWorld
from infra.local.bench.figure import Figure, NotMeasured, Result, Run, median
from infra.local.bench.hammer import Load, call_all, post_all
from shared.domain.alerts.alert import parse_alert
from shared.protocol.intake import PENDING, Delivery, delivery_id

SERVICES = 10
SLICES = 5
LEAST_RATE, LARGEST_P99, LEAST_DUPLICATES = 0.7, 3.0, 5.0


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """Bare inserts, new alerts, bare inserts again, and repeated alerts, one after the other.

    The bare inserts on both sides keep a machine that gets busier from favouring one of the two.
    """

    before: Load
    after: Load
    distinct: Load
    duplicates: Load

    @property
    def raw(self) -> Load:
        """All bare inserts."""
        return Load(
            took_s=self.before.took_s + self.after.took_s,
            latencies_s=self.before.latencies_s + self.after.latencies_s,
            answers={},
        )

    @property
    def rate(self) -> float:
        """Acknowledgements for one bare insert."""
        return self.distinct.per_s / self.raw.per_s

    @property
    def p99(self) -> float:
        """How much longer the slow ones take."""
        return self.distinct.ms(0.99) / self.raw.ms(0.99)

    @property
    def repeats(self) -> float:
        """Repeated alerts for one new one."""
        return self.duplicates.per_s / self.distinct.per_s


def measure(run: Run) -> Result:
    """Measure both worlds. Raises NotMeasured where an alert was not taken."""
    with run.open_world(run.folder / "alone", services=SERVICES, idle=True) as world:
        alone = asyncio.run(_rounds(run, world, "alone"))
    with run.open_world(run.folder / "beside", services=SERVICES) as world:
        beside = asyncio.run(_rounds(run, world, "beside the pipeline"))
    return Result(
        title="Intake",
        figures=(*_figures("alone", alone), *_figures("beside the pipeline", beside)),
        details={"alone": _details(alone), "beside": _details(beside)},
    )


async def _rounds(run: Run, world: CastWorld, name: str) -> list[Round]:
    count, rounds = run.count(300, 40), run.count(12, 1)
    numbers = itertools.count()
    table = TableClient.from_connection_string(world.addresses.table_account, "deliveries")
    async with table:
        await _round(world, table, _alerts(numbers, 64))  # opens links and connections
        done = []
        for number in range(rounds):
            run.say(f"{name}, round {number + 1} of {rounds}")
            done.append(await _round(world, table, _alerts(numbers, count)))
        return done


async def _round(world: CastWorld, table: TableClient, bodies: list[bytes]) -> Round:
    where = world.addresses
    # While the pipeline runs it runs beside all of them: it has the alerts of the last round to do.
    half = len(bodies) // 2
    inserts = _inserts(table, bodies)
    before = await call_all(inserts[:half])
    distinct = await post_all(where, bodies)
    after = await call_all(inserts[half:])
    duplicates = await post_all(where, bodies * 3)
    wanted = {"202 accepted": len(bodies)}, {"202 duplicate": 3 * len(bodies)}
    if (distinct.answers, duplicates.answers) != wanted:
        raise NotMeasured(f"not all were taken: {distinct.answers}, {duplicates.answers}")
    return Round(before=before, after=after, distinct=distinct, duplicates=duplicates)


def _alerts(numbers: Iterator[int], count: int) -> list[bytes]:
    """New alerts of few troubles, each later than the one before."""
    start = datetime.now(UTC) - timedelta(minutes=1)
    return [
        alert(
            f"intake-{number}",
            number % SERVICES,
            slice_=f"slice-{number // SERVICES % SLICES}",
            fired_at=start + timedelta(milliseconds=number),
        )
        for number in itertools.islice(numbers, count)
    ]


def _inserts(table: TableClient, bodies: list[bytes]) -> list[Callable[[], Awaitable[Any]]]:
    return [partial(table.create_entity, _row(body)) for body in bodies]


def _row(body: bytes) -> dict[str, Any]:
    """The row that intake writes, under a key of its own and settled, so that nobody takes it."""
    now = datetime.now(UTC)
    parsed = parse_alert(body, now)
    delivery = Delivery(key=delivery_id(parsed, now), alert=parsed, accepted_at=now)
    return {
        "PartitionKey": f"raw-{delivery.key[7:8]}",
        "RowKey": delivery.key,
        PENDING: True,
        "body00": msgspec.json.encode(delivery).decode(),
    }


def _figures(where: str, rounds: list[Round]) -> list[Figure]:
    first = rounds[0]
    distinct = median([one.distinct.per_s for one in rounds])
    raw = median([one.raw.per_s for one in rounds])
    repeats = median([one.duplicates.per_s for one in rounds])
    return [
        Figure(
            name=f"{where}: durable acknowledgements / bare inserts",
            value=median([one.rate for one in rounds]),
            at_least=LEAST_RATE,
            note=f"{distinct:.0f}/s of {raw:.0f}/s, {len(rounds)} rounds of "
            f"{len(first.raw.latencies_s)}",
        ),
        Figure(
            name=f"{where}: p99 of an acknowledgement / of a bare insert",
            value=median([one.p99 for one in rounds]),
            at_most=LARGEST_P99,
            note=f"{median([one.distinct.ms(0.99) for one in rounds]):.0f} ms",
        ),
        Figure(
            name=f"{where}: duplicates / distinct, a second",
            value=median([one.repeats for one in rounds]),
            at_least=LEAST_DUPLICATES,
            note=f"{repeats:.0f}/s, bound by the local host's HTTP",
        ),
    ]


def _details(rounds: list[Round]) -> list[dict[str, Any]]:
    return [
        {
            name: {
                "per_s": round(load.per_s, 1),
                "p50_ms": round(load.ms(0.5), 2),
                "p99_ms": round(load.ms(0.99), 2),
            }
            for name, load in (
                ("raw", one.raw),
                ("distinct", one.distinct),
                ("duplicates", one.duplicates),
            )
        }
        for one in rounds
    ]
