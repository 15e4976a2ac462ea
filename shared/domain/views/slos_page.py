"""The objectives' page as values: what is left of each budget, how fast it burns, what follows.

What the logs did not tell is unknown, never a full budget; what the policy has done is what is
stored of it, whether or not the logs answer now.
"""

from collections.abc import Iterator

import msgspec

from shared.domain.catalog import Catalog, CatalogMistake, Service
from shared.domain.decisions.control import Controls
from shared.domain.slos.balance import Balance, Balances, Count, Status
from shared.domain.slos.kql import span
from shared.domain.slos.slo import Slo
from shared.domain.views.budget import Budget, budget_of
from shared.domain.views.budget_policy import PolicyLine, policy_of
from shared.domain.views.chart import Tone
from shared.domain.wording import share

_MEANS = {
    Status.OK: "It is kept.",
    Status.BURNING: "One of its alerts would fire now.",
    Status.SPENT: "Nothing is left of its error budget.",
    Status.NO_DATA: "Nothing was counted in its whole window.",
    Status.UNKNOWN: "The workspace did not answer, or not in full.",
}


class BurnLine(msgspec.Struct, frozen=True, kw_only=True):
    """How many times too fast the budget burns over one window."""

    window: str
    rate: str
    counted: str
    tone: Tone


class ObjectiveCard(msgspec.Struct, frozen=True, kw_only=True):
    """One objective. `counted` is what its own window holds, "" where nobody can tell."""

    name: str
    sli: str
    budget: Budget
    status: Status
    means: str
    counted: str
    burns: tuple[BurnLine, ...]
    policy: tuple[PolicyLine, ...]


class ServicePart(msgspec.Struct, frozen=True, kw_only=True):
    """The objectives of one service."""

    name: str
    title: str
    objectives: tuple[ObjectiveCard, ...]


class SlosPage(msgspec.Struct, frozen=True, kw_only=True):
    """Everything on the page. `unknown` is how many objectives the logs told nothing of."""

    services: tuple[ServicePart, ...]
    unknown: int
    controls_known: bool
    mistakes: tuple[CatalogMistake, ...]


def present_slos(catalog: Catalog, balances: Balances, controls: Controls) -> SlosPage:
    """Say what is known of every objective."""
    parts = tuple(_part(service, balances, controls) for service in catalog.services.values())
    every = [one for part in parts for one in part.objectives]
    return SlosPage(
        services=parts,
        unknown=sum(one.status is Status.UNKNOWN for one in every),
        controls_known=controls.known,
        mistakes=catalog.mistakes,
    )


def _part(service: Service, balances: Balances, controls: Controls) -> ServicePart:
    def card(slo: Slo) -> ObjectiveCard:
        unasked = Balance(service=service.name, slo=slo, status=Status.UNKNOWN)
        return _card(balances.get((service.name, slo.name), unasked), service, controls)

    cards = tuple(card(slo) for slo in service.slos)
    return ServicePart(name=service.name, title=service.title, objectives=cards)


def _card(balance: Balance, service: Service, controls: Controls) -> ObjectiveCard:
    slo = balance.slo
    return ObjectiveCard(
        name=slo.name,
        sli=slo.sli,
        budget=budget_of(slo, balance),
        status=balance.status,
        means=_means(balance),
        counted=_counted(balance),
        burns=tuple(_burns(balance)),
        policy=policy_of(balance, controls, service.time_zone),
    )


def _means(balance: Balance) -> str:
    if balance.status is not Status.INSUFFICIENT:
        return _MEANS[balance.status]
    least = share(balance.slo.indicator.least_labelled)
    return f"Too few of the answers were judged to tell: {least} are asked for."


def _counted(balance: Balance) -> str:
    count = balance.count
    if balance.status is Status.UNKNOWN:
        return ""
    said = f"{count.total - count.bad:,} good of {count.total:,}"
    judged = f" judged, {count.answered:,} answered" if balance.slo.indicator.label_source else ""
    return f"{said}{judged}"


def _burns(balance: Balance) -> Iterator[BurnLine]:
    firing = _firing(balance)
    for window, count in sorted(balance.windows.items(), key=lambda item: span(item[0])):
        yield BurnLine(
            window=window,
            rate=_rate(count),
            counted=f"{count.bad:,} bad of {count.total:,}",
            tone=Tone.BAD if window in firing else Tone.PLAIN,
        )


def _rate(count: Count) -> str:
    if count.burn is None:
        return "insufficient" if count.answered else "no data"
    return f"{count.burn:.1f} times"


def _firing(balance: Balance) -> set[str]:
    """The windows of the alerts that would fire now."""
    firing = set[str]()
    for alert in balance.slo.alerts:
        rate = balance.burn(alert)
        if rate is not None and rate >= alert.burn_rate:
            firing |= {alert.short_window, alert.long_window}
    return firing
