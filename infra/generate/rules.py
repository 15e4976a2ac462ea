"""The alert rules of all services, as the deployment reads them: one JSON array.

A rule that Azure Monitor would refuse is never written.
"""

import msgspec

from shared.domain.catalog import Catalog
from shared.domain.detection.limits import mistakes
from shared.domain.detection.rules import rules_of_all
from shared.errors import RejectedInput


def rules_file(catalog: Catalog) -> bytes:
    """The file's content: every rule with its fields in camel case, the most important first.

    Raises RejectedInput, naming the rule, for one that Azure Monitor would refuse.
    """
    rules = rules_of_all(catalog.services.values())
    names = [rule.name for rule in rules]
    for rule in rules:
        said = [*mistakes(rule), *(["has its name twice"] if names.count(rule.name) > 1 else [])]
        if said:
            raise RejectedInput("no-rule", f"{rule.name}: {'; '.join(said)}")
    return msgspec.json.format(msgspec.json.encode(rules)) + b"\n"
