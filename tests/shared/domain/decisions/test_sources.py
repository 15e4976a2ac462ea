"""The second source: whatever else is true, a signal alone never moves traffic."""

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.catalog import Emergency
from shared.domain.decisions.case import Case
from shared.domain.decisions.decide import decide
from shared.domain.decisions.decision import Verdict
from shared.domain.decisions.endpoint import ProbeReport
from shared.domain.incidents.incident import Severity
from tests.shared.domain.decisions.worked_case import (
    BLAMED_FAILS,
    BLAMED_PASSES,
    BURN,
    CASE,
    DIAGNOSIS,
    INCIDENT,
    POLICY,
    alter,
    with_policy,
)

ALONE = alter(INCIDENT, signals_only=True)
CRITERIA = Emergency(severity=Severity.SEV1, burn_rate=2)
SHARES = st.integers(min_value=0, max_value=20)


def told(case: Case) -> str:
    return next(one.observed for one in decide(case).rules if one.rule == "second-source")


@st.composite
def disagreeing(draw: st.DrawFn) -> ProbeReport | None:
    """What a probe of the blamed version may be without showing that it fails."""
    passed = draw(SHARES)
    return draw(
        st.sampled_from(
            (
                None,
                BLAMED_PASSES,
                alter(BLAMED_FAILS, passed=19),
                alter(BLAMED_FAILS, sent=min(passed, 4), passed=0),
                alter(BLAMED_FAILS, deployment="v1", passed=passed),
                alter(BLAMED_FAILS, deployment=None, passed=passed),
                alter(BLAMED_FAILS, answered_by={"v2": 19, "v1": 1}, passed=passed),
            )
        )
    )


@st.composite
def by_signal_alone(draw: st.DrawFn) -> Case:
    """A case that rests on signals: neither the logs nor a probe by name says so."""
    slow = draw(st.floats(min_value=0, max_value=3.99))
    fast = draw(st.floats(min_value=0, max_value=99))
    windows = {"5m": (400, 9, fast), "1h": (4000, 9, slow)}
    found = alter(
        DIAGNOSIS,
        burns=draw(st.sampled_from(((), (alter(BURN, windows=windows),)))),
        requests=draw(st.integers(min_value=0, max_value=10_000)),
        bad_share=draw(st.floats(min_value=0, max_value=1)),
    )
    live = draw(st.none() | SHARES.map(lambda n: alter(BLAMED_FAILS, deployment=None, passed=n)))
    policy = alter(POLICY, emergency=draw(st.sampled_from((None, CRITERIA))), approve_when=())
    return alter(
        with_policy(**msgspec.structs.asdict(policy)),
        incident=alter(ALONE, severity=draw(st.sampled_from(tuple(Severity)))),
        diagnosis=found,
        live_probe=live,
        blamed_probe=draw(disagreeing()),
    )


@given(by_signal_alone())
def test_a_signal_alone_never_moves_traffic(case: Case) -> None:
    assert decide(case).verdict is not Verdict.ROLL_BACK


@given(by_signal_alone())
def test_and_it_is_the_signal_that_stands_against_it(case: Case) -> None:
    spoken = alter(case, incident=alter(case.incident, signals_only=False))
    failed = {one.rule for one in decide(case).rules if not one.passed}
    assert failed - {one.rule for one in decide(spoken).rules if not one.passed} == {
        "second-source"
    }


@pytest.mark.parametrize(
    ("case", "said"),
    [
        (CASE, "not by signals alone"),
        (alter(CASE, incident=ALONE), "the logs"),
        (
            alter(
                CASE,
                incident=ALONE,
                diagnosis=alter(DIAGNOSIS, burns=()),
                blamed_probe=BLAMED_FAILS,
            ),
            "v2 9 of 20 passed when probed",
        ),
        (
            alter(CASE, incident=ALONE, diagnosis=alter(DIAGNOSIS, burns=())),
            "only signals tell of it, v2 unknown when probed",
        ),
    ],
)
def test_it_says_who_agrees(case: Case, said: str) -> None:
    assert told(case) == said
    assert re.search(r"\w", decide(case).reason)
