"""What Azure Monitor asks of a log alert rule, above all of one that looks every minute.

It changes the query of such a rule to make it quick, and refuses operators that it cannot change.
We ask the same of all rules, so that any may be made quicker; what breaks a limit is never shipped.
"""

import re

from shared.domain.detection.rule import WINDOWS_MIN, AlertRule, iso, minutes
from shared.domain.slos.kql import span

FREQUENCIES = ("PT1M", "PT5M", "PT10M", "PT15M", "PT30M", "PT1H")
MOST_DIMENSIONS = 6
LONGEST_NAME = 260
LONGEST_LOOK_BACK_MIN = 2880

# What is quoted or said in a comment is no operator.
_TEXT = re.compile(r"""@"[^"]*"|@'[^']*'|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|//[^\n]*""")
_FORBIDDEN = re.compile(
    r"\b(union|search|find|take|limit|join|lookup|evaluate|invoke|externaldata|materialize|toscalar)\b"
    r"|\b(ingestion_time|adx|arg|workspace|app|resource|cluster|database)\s*\("
    r"|\b(let)\b"
)
_AGO = re.compile(r"\bago\(([^)]*)\)")
_NAME = re.compile(r"[^*<>%{}&:\\?/#\x00-\x1f]+(?<![ .])")


def mistakes(rule: AlertRule) -> tuple[str, ...]:
    """What of a rule Azure Monitor would refuse or misread; () for a rule that can be shipped."""
    return tuple(dict.fromkeys([*_in_query(rule), *_in_frame(rule)]))


def _in_query(rule: AlertRule) -> list[str]:
    bare = _TEXT.sub('""', rule.query)
    found = [f"{match[0].strip()} is not allowed" for match in _FORBIDDEN.finditer(bare)]
    window_min = minutes(rule.window)
    for length in _AGO.findall(bare):
        back = span(length).total_seconds() / 60
        if back > min(window_min, LONGEST_LOOK_BACK_MIN):
            found.append(f"looks {length} back, beyond its window {rule.window}")
    columns = (rule.measure_column, rule.resource_id_column, *(one.name for one in rule.dimensions))
    found += [f"has no column {name}" for name in columns if not re.search(rf"\b{name}\b", bare)]
    return found


def _in_frame(rule: AlertRule) -> list[str]:
    wrong = {
        f"looks every {rule.evaluation_frequency}": rule.evaluation_frequency not in FREQUENCIES,
        f"has the window {rule.window}": rule.window not in map(iso, WINDOWS_MIN),
        "has a window shorter than its frequency": minutes(rule.window) < rule.frequency_min,
        f"has {len(rule.dimensions)} dimensions": len(rule.dimensions) > MOST_DIMENSIONS,
        f"has severity {rule.severity}": rule.severity not in range(5),
        f"cannot be called {rule.name!r}": not _NAME.fullmatch(rule.name)
        or len(rule.name) > LONGEST_NAME,
    }
    return [said for said, is_wrong in wrong.items() if is_wrong]
