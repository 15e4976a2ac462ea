"""Histories of a service, against a policy that was written a second time.

People, pipelines, alerts and time do whatever they like, in any order. After every step the
product's decision must be the naive model's: the same rules stand against moving the traffic, and
where none does it is moved, once, all of it to the known good. What breaks is shrunk.
"""

from collections.abc import Callable
from functools import wraps

import msgspec
import pytest

from shared.domain.catalog import Mode
from shared.domain.decisions import decide as deciding
from shared.domain.decisions.case import Case
from shared.domain.decisions.decision import RuleResult
from shared.domain.decisions.rules import RULES, Rule
from shared.domain.noise.quiet import QuietRule
from tests.batteries.soak import SOAK
from tests.simulation.policy.history import play

HISTORIES = 2_000  # of a block; BACKSTOP_SOAK says how many blocks

NEVER_ALONE = {
    "diagnosis-conclusive",  # nor is it known then whether the breach goes on
    "controls-known",  # nor whether a kill switch is on
    "endpoint-readable",
    "known-good-exists",
    "not-already-good",  # then the version that is blamed has no traffic
    "cause-is-version",  # then no version is blamed
    "known-good-deployed",
    "target-probe-known",  # nor does a probe pass then
    "mode-lets-act",  # nor is the mode automatic then
}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("block", range(SOAK))
def test_the_decision_is_the_policys_in_every_history(block: int) -> None:
    seen = play(block, HISTORIES)

    if block == 0:  # each rule stood alone against a rollback, so none is there for nothing
        assert {one.name for one in RULES} - NEVER_ALONE - set(seen.alone) == set()
    assert seen.ends["moved"] >= HISTORIES / 10
    assert min(seen.ends[end] for end in ("mitigated", "escalated", "verifying", "not moved")) > 0


type Ask = Callable[[Case], RuleResult]


def _answering(ask: Ask, wrong: Callable[[Case, RuleResult], bool]) -> Ask:
    """The same rule, which passes where it would and where `wrong` says so."""

    @wraps(ask)
    def asked(case: Case) -> RuleResult:
        found = ask(case)
        return msgspec.structs.replace(found, passed=found.passed or wrong(case, found))

    return asked


def _is_short(case: Case, _: RuleResult) -> bool:
    """The rest after a rollback is too short."""
    last = max(one.at for one in case.record.rollbacks)
    return (case.now - last).total_seconds() >= case.policy.cooldown_s / 3


def _is_another_scope(case: Case, _: RuleResult) -> bool:
    """A switch for everything is overlooked."""
    return case.controls.known and all(one.scope == "*" for one in case.controls.kill_switches)


def _trust_is_old(case: Case, _: RuleResult) -> bool:
    """A version that a rollback left is trusted again by itself."""
    return case.record.known_good is not None


MUTANTS = {
    "no_freeze": lambda case, _: case.controls.freezes == (),
    "budget_lets": lambda case, _: case.mode is Mode.AUTOMATIC,
    "second_source": lambda case, _: case.live_probe is not None,
    "confidence_enough": lambda _, found: "queries" not in found.observed,
    "cooldown": _is_short,
    "kill_switch_off": _is_another_scope,
    "no_ping_pong": _trust_is_old,
    "rate_limit": lambda case, _: len(case.record.rollbacks) == case.policy.max_rollbacks_per_hour,
    "one_automatic_rollback_an_incident": lambda case, _: case.incident.automatic_rollbacks == 1,
    "unmoved_since_earned": lambda _, found: found.observed == "flags-moved",
    "nothing_keeps_quiet": lambda case, _: case.quiets[0].rule is QuietRule.STORM,
    "capacity_enough": lambda case, _: case.snapshot is not None,
    "minimum_traffic": lambda case, _: case.diagnosis is not None and case.diagnosis.requests == 49,
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_rule_that_is_a_little_wrong_is_noticed(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = tuple(
        Rule(_answering(one.ask, MUTANTS[name]), one.otherwise, one.because)
        if one.ask.__name__ == name
        else one
        for one in RULES
    )
    assert rules != RULES
    monkeypatch.setattr(deciding, "RULES", rules)

    with pytest.raises(AssertionError):
        play(0, HISTORIES, shrinks=False)
