"""The alert rules of all services, as the deployment reads them: one JSON array.

A rule that Azure Monitor would refuse is never written, nor a file that Bicep or a deployment would
not take: that is told here, and not after half of a deployment.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from shared.domain.catalog import Catalog
from shared.domain.detection.limits import mistakes
from shared.domain.detection.rule import AlertRule
from shared.domain.detection.rules import rules_of_all
from shared.errors import RejectedInput

MOST_CHARACTERS = 1_048_576
"""As large as a file may be that Bicep's loadJsonContent reads; rules are too long to be 800 in it,
which are the resources that a deployment may create."""


def rules_file(catalog: Catalog) -> bytes:
    """The file's content: every rule with its fields in camel case, the most important first.

    Raises RejectedInput: for a rule that Azure Monitor would refuse, by its name, and for more
    rules than one deployment takes, with how many services it does take.
    """
    rules = rules_of_all(catalog.services.values())
    _check(rules)
    written = msgspec.json.format(msgspec.json.encode(rules)) + b"\n"
    characters = len(written.decode())
    if characters > MOST_CHARACTERS:
        too_many = _too_many(len(catalog.services), len(rules), characters)
        raise RejectedInput("too-many-rules", too_many)
    return written


def rule_changes(before: bytes, after: bytes) -> list[str]:
    """Say of two such files how many rules each service has, and which are new, other or gone."""
    was, now = _by_name(before), _by_name(after)
    counts = Counter(rule["service"] for rule in now.values())
    lines = [f"{service}: {count} rules" for service, count in counts.items()]
    lines += [f"  new: {name}" for name in now if name not in was]
    lines += [f"  changed: {name}" for name, rule in now.items() if was.get(name, rule) != rule]
    lines += [f"  gone: {name}" for name in was if name not in now]
    return lines


def _by_name(written: bytes) -> dict[str, dict[str, Any]]:
    rules = msgspec.json.decode(written, type=list[dict[str, Any]])
    return {rule["name"]: rule for rule in rules}


def _check(rules: Sequence[AlertRule]) -> None:
    names = Counter(rule.name for rule in rules)
    for rule in rules:
        said = [*mistakes(rule), *(["has its name twice"] if names[rule.name] > 1 else [])]
        if said:
            raise RejectedInput("no-rule", f"{rule.name}: {'; '.join(said)}")


def _too_many(services: int, rules: int, characters: int) -> str:
    """What does not fit, how much does, and what to do about it."""
    fits = services * MOST_CHARACTERS // characters
    return (
        f"rules.json would have {characters:,} characters for {rules:,} rules of {services:,}"
        f" services, and Bicep reads at most {MOST_CHARACTERS:,}: about {fits} such services."
        " Deploy an environment for each group of so many, with a catalog of its own:"
        " docs/deploy.md, How far one deployment reaches"
    )
