"""The model: alert rules are counted from the services' files, everything else from assumptions.

A rule costs its base and a price for each further time series. The time series are those that the
generated rules expect.
"""

from collections.abc import Sequence

import msgspec

from infra.cost.prices import Prices
from shared.domain.catalog import Service
from shared.domain.detection.rule import AlertRule
from shared.domain.detection.rules import rules_of, rules_of_all

MONTH_S = 730 * 3600
MILLION = 1_000_000
GB_KB = 1_000_000  # how Log Analytics counts


class Month(msgspec.Struct, frozen=True, kw_only=True):
    """What a month costs. `shared_rules` is what one rule for all would: see `breakeven`."""

    services: int
    rules: int
    series: int
    alert_rules: float
    shared_rules: float
    breakeven: float | None
    functions: float
    bus: float
    storage: float
    logs: float

    @property
    def total(self) -> float:
        """All of it, with the rules as they are generated."""
        return self.alert_rules + self.functions + self.bus + self.storage + self.logs


def copies(model: Service, count: int) -> list[Service]:
    """So many services that are like this one, each with an endpoint of its own."""
    return [_copy(model, f"service-{number:03d}") for number in range(count)]


def month(services: Sequence[Service], prices: Prices) -> Month:
    """What these services cost."""
    rules = rules_of_all(services)
    return Month(
        services=len(services),
        rules=len(rules),
        series=sum(rule.time_series for rule in rules),
        alert_rules=sum(price_of(rule, prices) for rule in rules),
        shared_rules=shared_price(services, prices),
        breakeven=breakeven(services, prices),
        functions=_functions(len(services), prices),
        bus=_bus(len(services), prices),
        storage=_storage(len(services), prices),
        logs=_logs(len(services), prices),
    )


def price_of(rule: AlertRule, prices: Prices) -> float:
    """One rule as it is generated."""
    price = prices.rules[rule.frequency_min]
    return price.rule + (rule.time_series - 1) * price.series


def shared_price(services: Sequence[Service], prices: Prices) -> float:
    """The same series in one rule for all services, split by service, each at its own pace.

    That is possible only where all have the same objectives.
    """
    together: dict[tuple[str, int], list[AlertRule]] = {}
    for service in services:
        for place, rule in enumerate(rules_of(service)):
            together.setdefault((rule.kind, place), []).append(rule)
    return sum(_as_one(rules, prices) for rules in together.values())


def breakeven(services: Sequence[Service], prices: Prices) -> float | None:
    """So many times its price a further series must cost, that rules of their own are no dearer.

    Both ways are linear in that price. None where rules of their own are never cheaper.
    """

    def at(factor: float) -> tuple[float, float]:
        scaled = {
            minutes: msgspec.structs.replace(one, series=one.series * factor)
            for minutes, one in prices.rules.items()
        }
        known = msgspec.structs.replace(prices, rules=scaled)
        own = sum(price_of(rule, known) for rule in rules_of_all(services))
        return own, shared_price(services, known)

    (own, shared), (own_dearer, shared_dearer) = at(0.0), at(1.0)
    grows = (shared_dearer - shared) - (own_dearer - own)
    return (own - shared) / grows if grows > 0 else None


def _as_one(rules: Sequence[AlertRule], prices: Prices) -> float:
    price = prices.rules[min(rule.frequency_min for rule in rules)]
    return price.rule + (sum(rule.time_series for rule in rules) - 1) * price.series


def _copy(model: Service, name: str) -> Service:
    targets = tuple(
        msgspec.structs.replace(target, id=f"{target.id.rpartition('/')[0]}/{name}")
        for target in model.targets
    )
    slos = tuple(
        msgspec.structs.replace(slo, name=slo.name.replace(model.name, name)) for slo in model.slos
    )
    return msgspec.structs.replace(model, name=name, targets=targets, slos=slos)


def _incidents(count: int, prices: Prices) -> float:
    return count * prices.usage.per_service.incidents


def _functions(count: int, prices: Prices) -> float:
    """Instances that wait, and what is executed: as if none of it ran on those."""
    usage, price = prices.usage, prices.functions
    executed = _executions(count, prices)
    seconds = executed * max(usage.tick_runs_s, price.least_s)
    waiting = usage.always_ready * MONTH_S * usage.memory_gb * price.always_ready_gb_s
    running = seconds * usage.memory_gb * price.on_demand_gb_s
    return waiting + running + executed / MILLION * price.per_million


def _executions(count: int, prices: Prices) -> float:
    """Ticks of both apps, and what incidents bring."""
    usage = prices.usage
    handled = usage.messages_per_incident + usage.per_service.alerts_per_incident
    return 2 * MONTH_S / usage.tick_s + _incidents(count, prices) * handled


def _bus(count: int, prices: Prices) -> float:
    usage, price = prices.usage, prices.bus
    messages = _incidents(count, prices) * usage.messages_per_incident
    millions = messages * usage.bus_operations_per_message / MILLION
    return price.base + max(millions - price.included_millions, 0.0) * price.per_million


def _storage(count: int, prices: Prices) -> float:
    """Tables and copies as they are after all the months that they are kept, with the seals."""
    usage, price = prices.usage, prices.storage
    incidents = _incidents(count, prices)
    kept_gb = incidents * usage.kb_per_incident * usage.months_kept / GB_KB
    reads = 2 * MONTH_S / usage.tick_s * usage.tick_table_reads
    operations = reads + incidents * usage.rows_per_incident
    writes = 2 * usage.seals / 10_000 * price.blob_writes_10k
    signing = usage.seals / 10_000 * prices.vault.signatures_10k
    kept = kept_gb * (price.table_gb + price.blob_gb)
    return kept + operations / MILLION * price.table_million + writes + signing


def _logs(count: int, prices: Prices) -> float:
    """The services' telemetry, sampled as docs/telemetry.md has it, and what the apps log."""
    one = prices.usage.per_service
    share = one.failing_share + (1 - one.failing_share) * one.kept_share
    told = count * one.requests * one.rows_per_request * share
    own = _executions(count, prices) * prices.usage.rows_per_execution
    gigabytes = (told + own) * one.row_kb / GB_KB
    return max(gigabytes - prices.logs.free_gb, 0.0) * prices.logs.gb
