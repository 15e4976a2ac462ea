"""Guards where it is decided whether traffic may move."""

from typing import Any

import msgspec

from shared.domain.approvals import may_decide
from shared.domain.decisions.rules import QUIET_RULE
from shared.domain.diagnosis.diagnosis import Attribution, Cause
from shared.domain.incidents.incident import Incident, Step
from shared.domain.noise import quieting
from shared.domain.noise.quieting import go_on
from shared.protocol.acting import actor
from tests.simulation.guards.guard import Patch, guard, without_rules
from tests.simulation.guards.trials import scene
from tests.simulation.promises import Promise
from tests.simulation.scene import BUDGET_SPENT, ONLY_SIGNALS


@guard(Promise.AUTHORITY, trials=scene("an older trouble"))
def no_attribution(patch: Patch) -> None:
    """Whatever is wrong is put down to the version that serves."""

    def blame(_: object) -> Attribution:
        return Attribution(cause=Cause.VERSION, version="v2", reasons=("mutant",))

    patch.setattr("shared.domain.diagnosis.diagnose.attribute", blame)


@guard(Promise.AUTHORITY, trials=scene("a service that wants approval"))
def no_mode(patch: Patch) -> None:
    """The service's mode is not asked."""
    without_rules(patch, "mode-lets-act", "mode-automatic")


@guard(Promise.AUTHORITY, trials=scene("the wrong one says yes"))
def no_role_of_who_decides(patch: Patch) -> None:
    """Whoever comes may decide about a plan."""
    patch.setattr(may_decide, "_no_decider", lambda _caller: None)
    patch.setattr(may_decide, "_role", lambda _caller, **_: "Responder")


@guard(Promise.AUTHORITY, trials=scene("two approve at once"))
def no_end_of_a_decision(patch: Patch) -> None:
    """What is decided may be decided again, by the next one."""
    patch.setattr("shared.domain.approvals.may_decide._not_this_one", lambda *_: None)
    patch.setattr("shared.protocol.acting.approve.awaits", lambda *_: True)
    patch.setattr("shared.domain.approvals.steps.awaits", lambda *_: True)


@guard(Promise.AUTHORITY, trials=scene("the known good fails, too"))
def no_probe_of_the_known_good(patch: Patch) -> None:
    """The known good is taken at its word."""
    without_rules(patch, "target-probe-passes")


@guard(Promise.AUTHORITY, trials=scene("a maintenance that ends"))
def no_quiet(patch: Patch) -> None:
    """Traffic is moved while the owners are at it."""
    without_rules(patch, QUIET_RULE)


@guard(Promise.AUTHORITY, trials=scene("changes are frozen"))
def no_freeze(patch: Patch) -> None:
    """Nobody looks whether changes are frozen, neither when it is decided nor at the act."""
    without_rules(patch, "no-freeze")
    patch.setattr(actor, "frozen_now", lambda *_: None)


@guard(Promise.AUTHORITY, trials=scene(BUDGET_SPENT))
def no_person_for_a_spent_budget(patch: Patch) -> None:
    """An error budget that asks for a person is not asked."""
    without_rules(patch, "budget-lets")


@guard(Promise.AUTHORITY, trials=scene(ONLY_SIGNALS))
def no_second_source(patch: Patch) -> None:
    """A service's own signals move traffic although nobody else says so."""
    without_rules(patch, "second-source")


@guard(Promise.COMES_TO_REST, trials=scene("a maintenance that ends"))
def no_going_on(patch: Patch) -> None:
    """What was held back is not asked anew when nothing holds it any more."""

    def forget(incident: Incident, *known: Any) -> Step:
        return go_on(msgspec.structs.replace(incident, deferred=False), *known)

    patch.setattr(quieting, "go_on", forget)


@guard(Promise.RESTRAINT, trials=scene("rolled back five minutes ago"))
def no_cooldown(patch: Patch) -> None:
    """A rollback may follow at once upon another."""
    without_rules(patch, "cooldown")


@guard(Promise.RESTRAINT, trials=scene("rolled back twice this hour"))
def no_rate_limit(patch: Patch) -> None:
    """Rollbacks of an hour are not counted."""
    without_rules(patch, "rate-limit")


@guard(Promise.RESTRAINT, trials=scene("this incident was rolled back before"))
def no_limit_of_one_rollback_an_incident(patch: Patch) -> None:
    """An incident is rolled back as often as it asks for it."""
    without_rules(patch, "one-automatic-rollback-an-incident")


@guard(Promise.RESTRAINT, trials=scene("the kill switch is on"))
def no_kill_switch_at_decide(patch: Patch) -> None:
    """The kill switch is not asked when it is decided."""
    without_rules(patch, "kill-switch-off")
