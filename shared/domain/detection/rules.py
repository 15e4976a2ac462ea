"""All rules of a service, from its file alone; and of all services, within what Azure allows.

`rules_of` is the table of contents: each line is one thing that can go wrong and who sees it.
"""

from collections.abc import Iterable, Iterator

import msgspec

from shared.domain.catalog import Service
from shared.domain.detection.behaviour import (
    index_rules,
    outcome_rules,
    safety_rules,
    tool_rules,
)
from shared.domain.detection.burning import burn_rules, part_rules
from shared.domain.detection.rule import AlertRule
from shared.domain.detection.serving import served_rules

MOST_EVERY_MINUTE = 100
"""How many rules of a subscription may look every minute."""


def rules_of(service: Service) -> tuple[AlertRule, ...]:
    """Every rule of one service, the same for the same file."""
    return tuple(_rules(service))


def rules_of_all(services: Iterable[Service]) -> tuple[AlertRule, ...]:
    """The rules of all services, the most important first.

    When a subscription may have no more that look every minute, the rest look every five.
    """
    ordered = sorted(services, key=lambda service: (service.tier, service.name))
    left, found = MOST_EVERY_MINUTE, list[AlertRule]()
    for rule in (rule for service in ordered for rule in rules_of(service)):
        is_quick = rule.frequency_min == 1
        found.append(rule if left or not is_quick else _slower(rule))
        left -= is_quick and left > 0
    return tuple(found)


def _rules(service: Service) -> Iterator[AlertRule]:
    for slo in service.slos:
        yield from burn_rules(service, slo)
        yield from part_rules(service, slo)
        yield from outcome_rules(service, slo)
    yield from tool_rules(service)
    yield from safety_rules(service)
    yield from index_rules(service)
    yield from served_rules(service)


def _slower(rule: AlertRule) -> AlertRule:
    return msgspec.structs.replace(rule, evaluation_frequency="PT5M")
