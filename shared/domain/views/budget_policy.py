"""An objective's error-budget policy as a page shows it: every line, and what it has done.

Lines are those of `shared.domain.slos.crossing`, slow burns among them; what was crossed is stored.
"""

import msgspec

from shared.domain.decisions.control import Controls
from shared.domain.slos.balance import Balance
from shared.domain.slos.crossing import Crossed, Line, LineKind, lines
from shared.domain.slos.slo import BudgetAction
from shared.domain.stamp import Stamp, stamp
from shared.domain.views.chart import Tone
from shared.domain.wording import plain, share

_DOES = {
    BudgetAction.PAGE: "a person is paged",
    BudgetAction.TICKET: "a ticket is made",
    BudgetAction.APPROVE: "a person approves every rollback",
    BudgetAction.ROLL_BACK: "a rollback is looked for",
    BudgetAction.FREEZE: "promotions rest",
}


class PolicyLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the policy. `since` is when it was crossed, None where it was not."""

    rule: str
    state: str
    tone: Tone
    since: Stamp | None = None
    sentence: str = ""


def policy_of(balance: Balance, controls: Controls, zone: str) -> tuple[PolicyLine, ...]:
    """Every line that the objective's policy and its slow alerts draw."""
    crossed = {
        one.name: one
        for state in controls.budgets
        if (state.service, state.slo) == (balance.service, balance.slo.name)
        for one in state.crossed
    }
    return tuple(
        _crossed(line, crossed[line.name], zone) if line.name in crossed else _open(line, controls)
        for line in lines(balance)
    )


def _rule(line: Line) -> str:
    if line.kind is LineKind.SPENT:
        return f"{share(line.enters)} spent: {_DOES[line.action]}"
    over = line.name.rpartition("-")[2]
    return f"a burn of {line.enters:g} over {over}: {_DOES[line.action]}"


def _crossed(line: Line, crossed: Crossed, zone: str) -> PolicyLine:
    state = "done" if crossed.done else "crossed, and being done"
    return PolicyLine(
        rule=_rule(line),
        state=state if crossed.holds else "over",
        tone=Tone.BAD if crossed.holds else Tone.PLAIN,
        since=stamp(crossed.since, zone),
        sentence=plain(crossed.sentence),
    )


def _open(line: Line, controls: Controls) -> PolicyLine:
    if not controls.known:
        return PolicyLine(rule=_rule(line), state="unknown", tone=Tone.PLAIN)
    if line.observed is None:
        state = "not reached; how far is unknown now"
        return PolicyLine(rule=_rule(line), state=state, tone=Tone.PLAIN)
    if line.observed >= line.enters:
        return PolicyLine(rule=_rule(line), state="reached, done at the next look", tone=Tone.BAD)
    return PolicyLine(rule=_rule(line), state="not reached", tone=Tone.PLAIN)
