"""One history as Hypothesis plays it: every step is shared by the model and the product."""

from collections import Counter
from contextlib import closing
from functools import partial

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from shared.domain.incidents.incident import State
from tests.fakes.endpoints import Write
from tests.simulation.loop import BlindLoop
from tests.simulation.policy.choices import (
    FATES,
    NOT_ASKED,
    OTHERS,
)
from tests.simulation.policy.happenings import Happenings
from tests.simulation.policy.model import EVERY_REASON, is_emergency, speaks_against
from tests.simulation.policy.world import Run

STEPS = 10


class Seen:
    """What the histories came through, to know that no rule went unasked."""

    def __init__(self) -> None:
        self.alone: Counter[str] = Counter()  # the one rule that stood against it
        self.ends: Counter[str] = Counter()
        self.judged = 0


class History(Happenings):
    """One history: what happens, what the product does about it, and that the model agrees."""

    def __init__(self, run: Run, seen: Seen) -> None:
        super().__init__(run)
        self.seen = seen

    @initialize(before=st.sampled_from((0, 0, 0, 1, 2)))
    def begin(self, before: int) -> None:
        """v2 is bad and v1 is trusted; some rollbacks lie behind, a while ago each."""
        self.write_policy(EVERY_REASON, None)
        self.go_bad(("v2", "v1"), 100_000.0, mildly=False, rest=0.0)
        for _ in range(before):
            self.enforce(Write.ACCEPTED, NOT_ASKED)
            self.go_bad(("v2", "v1"), 100_000.0, mildly=False, rest=900.0)

    # What the product does.

    @rule()
    def deploy_a_broken_file(self) -> None:
        """Until it is mended, everything that the product is asked to do moves nothing."""
        self.facts.file_in_order = False
        self.product.spoil_file()
        self._compare()
        if self.state is State.DIAGNOSED:
            self.enforce(Write.ACCEPTED, NOT_ASKED)
        elif self.state is State.VERIFYING:
            self.verify(helped=True)
        self.facts.file_in_order = True
        self.product.mend_file()

    @precondition(lambda self: self.state is State.DIAGNOSED)
    @rule(fate=FATES, helped=st.sampled_from((NOT_ASKED, True, False, None)))
    def enforce(self, fate: Write, helped: bool | str | None) -> None:
        may, written = self._may_move(), len(self.product.writes)
        self.product.enforce(fate)
        if not may:
            assert len(self.product.writes) == written, "moved against the policy"
            return
        assert len(self.product.writes) > written
        self._acted(moved=fate is not Write.REFUSED)
        if not isinstance(helped, str) and fate is not Write.REFUSED:
            self.verify(helped)

    @precondition(lambda self: self.state is State.DIAGNOSED)
    @rule(at_write=st.sampled_from((1, 2, 3)), other=OTHERS)
    def enforce_while_somebody_is_at_it(self, at_write: int, other: str) -> None:
        facts = self.facts
        may, written = self._may_move(), len(self.product.writes)
        happening = {
            "switch": partial(self.product.turn_switch, "*", on=True, minutes=None),
            "deploy": partial(self.product.move, {"v3": 100}),
            "freeze": partial(self.product.freeze, "*", on=True, minutes=10),
        }
        # Nobody had to be asked about a freeze, or an emergency needs no asking.
        unmoved_by_it = other == "freeze" and ("freeze" not in facts.asks or self._is_emergency())
        happened = self.product.enforce_while(at_write, happening[other])
        if happened:
            self._note(other)
        stopped = happened and not unmoved_by_it
        if may:
            self._acted(moved=not stopped, written=not stopped)
        assert not stopped or len(self.product.writes) == written, "written over somebody's will"

    def _note(self, other: str) -> None:
        """The model learns what happened while the product was at it."""
        if other == "switch":
            self.facts.switches["*"] = None
        elif other == "freeze":
            self.facts.freezes["*"] = self.facts.now + 600
        else:
            self.facts.traffic = {"v3": 100}

    def _is_emergency(self) -> bool:
        return is_emergency(self.facts, speaks_against(self.facts))

    @precondition(lambda self: self.state is State.VERIFYING)
    @rule(helped=st.sampled_from((True, False, None)))
    def verify(self, helped: bool | None) -> None:
        checks, written = self.product.incident().checks, len(self.product.writes)
        self.product.verify(helped=helped)
        self.facts.now += 60
        well = (
            self.facts.readable and self.facts.scoring and self._serving() not in self.facts.failing
        )
        expected = State.ESCALATED if helped is False or checks + 1 >= 3 else State.VERIFYING
        if not self.facts.file_in_order:
            expected = State.ESCALATED
        elif helped and well:
            expected = State.MITIGATED
        assert self.state is expected
        assert len(self.product.writes) == written, "a second rollback of one incident"
        self.seen.ends[expected.value] += 1

    @rule()
    def judge_without_the_controls(self) -> None:
        self._compare(controls_readable=False)

    # What must hold after every step.

    @invariant()
    def the_product_and_the_model_agree(self) -> None:
        if self.facts.trouble is not None:
            self._compare()

    @invariant()
    def nothing_is_left_half_done(self) -> None:
        assert self.product.open_intents() == []
        if self.facts.trouble is not None:
            assert self.product.traffic == self.facts.traffic

    def _compare(self, *, controls_readable: bool = True) -> None:
        self.facts.controls_readable = controls_readable
        decision = self.product.judge(controls_readable=controls_readable)
        against = speaks_against(self.facts)
        self.facts.controls_readable = True
        failed = {result.rule for result in decision.rules if not result.passed}
        assert decision.verdict == next(iter(against.values()), "roll_back"), (failed, against)
        if self.facts.file_in_order:
            assert failed == set(against), failed ^ set(against)
        self.seen.judged += 1
        if len(against) == 1:
            self.seen.alone.update(against.keys())

    def _may_move(self) -> bool:
        return not speaks_against(self.facts)

    def _serving(self) -> str:
        traffic = self.facts.traffic
        return max(traffic, key=lambda name: traffic[name], default="")

    def _acted(self, *, moved: bool, written: bool = True) -> None:
        """An intent was made, and ended; if it was moved, all traffic is on the known good.

        What sent no write was no rollback.
        """
        facts = self.facts
        assert facts.good is not None
        assert facts.trouble is not None
        assert facts.diagnosed is not None
        if written:
            facts.moved.append((facts.now, facts.diagnosed.version))
        facts.trouble.acted += 1
        if moved:
            facts.traffic = {facts.good.deployment: 100}
            assert self.state is State.VERIFYING
        self.seen.ends["moved" if moved else "not moved"] += 1


def play(block: int, histories: int, *, shrinks: bool = True) -> Seen:
    """Play so many histories, a block's own. Raises AssertionError with the shortest."""
    seen = Seen()
    with closing(BlindLoop()) as loop:

        @seed(block)
        def history() -> History:
            return History(loop.run_until_complete, seen)

        run_state_machine_as_test(
            history,  # type: ignore[arg-type] # it only calls it
            settings=settings(
                max_examples=histories,
                stateful_step_count=STEPS,
                deadline=None,
                database=None,
                report_multiple_bugs=False,
                phases=(Phase.generate, Phase.shrink) if shrinks else (Phase.generate,),
                suppress_health_check=list(HealthCheck),
            ),
        )
    return seen
