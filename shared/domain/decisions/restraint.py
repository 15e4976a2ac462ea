"""Rules about holding back: it is too soon, too often, or a person's business.

Asked by `shared.domain.decisions.rules` last, when a rollback would make sense and is proven to
cure.
"""

from datetime import UTC, datetime, timedelta

from shared.domain.catalog import Mode
from shared.domain.decisions.case import Case
from shared.domain.decisions.decision import RuleResult
from shared.domain.decisions.known_good import moved
from shared.domain.decisions.soak import short_capacity
from shared.domain.noise.quiet import holding_automation

HOUR = timedelta(hours=1)


def nothing_keeps_quiet(case: Case) -> RuleResult:
    """No maintenance, no incident of a service that it depends on, no storm."""
    found = holding_automation(case.quiets)
    return RuleResult(
        rule="nothing-keeps-quiet",
        passed=found is None,
        observed=f"{found.rule}: {found.sentence}" if found else "nothing",
        required="nothing that holds automation back",
    )


def cooldown(case: Case) -> RuleResult:
    """The last rollback had time to show its effect."""
    last = max((rollback.at for rollback in case.record.rollbacks), default=None)
    age = (case.now - last).total_seconds() if last is not None else None
    return RuleResult(
        rule="cooldown",
        passed=age is None or age >= case.policy.cooldown_s,
        observed="no rollback before" if age is None else f"{age:.0f} s since the last rollback",
        required=f"at least {case.policy.cooldown_s} s{_until(case, last)}",
    )


def _until(case: Case, last: datetime | None) -> str:
    """When the rest is over, where it is not."""
    if last is None:
        return ""
    over = last + timedelta(seconds=case.policy.cooldown_s)
    return f" (until {over.astimezone(UTC):%H:%M:%S} UTC)" if over > case.now else ""


def rate_limit(case: Case) -> RuleResult:
    """The endpoint was not rolled back too often in the last hour."""
    lately = [r for r in case.record.rollbacks if case.now - r.at < HOUR]
    return RuleResult(
        rule="rate-limit",
        passed=len(lately) < case.policy.max_rollbacks_per_hour,
        observed=f"{len(lately)} in the last hour",
        required=f"fewer than {case.policy.max_rollbacks_per_hour}",
        evidence=", ".join(rollback.incident for rollback in lately),
    )


def one_automatic_rollback_an_incident(case: Case) -> RuleResult:
    """If one rollback did not cure this incident, a second will not: a person must look."""
    done = case.incident.automatic_rollbacks
    return RuleResult(
        rule="one-automatic-rollback-an-incident",
        passed=done == 0,
        observed=f"{done} so far",
        required="none so far",
        evidence=case.incident.plan,
    )


def no_ping_pong(case: Case) -> RuleResult:
    """We do not go back to a version that a rollback left, unless it has earned trust since."""
    good = case.record.known_good
    trusted_at = good.earned_at if good is not None else None
    if case.is_hotfix and case.chosen is not None:
        trusted_at = case.chosen.registered_at  # what is shipped since is another thing
    since = [r for r in case.record.rollbacks if trusted_at is None or r.at >= trusted_at]
    left = [r for r in since if r.away_from.lower() == case.good.lower()]
    return RuleResult(
        rule="no-ping-pong",
        passed=not left,
        observed=f"left {case.good} at {left[-1].at.isoformat()}" if left else "not left lately",
        required="a version that no rollback has left since it earned trust",
        evidence=", ".join(rollback.incident for rollback in left),
    )


def mode_lets_act(case: Case) -> RuleResult:
    """The service's owner lets Backstop prepare a change at all, or recommend one to a person."""
    by_person = case.mode is Mode.RECOMMEND and case.request is not None
    return RuleResult(
        rule="mode-lets-act",
        passed=case.mode in {Mode.APPROVE, Mode.AUTOMATIC} or by_person,
        observed=case.mode.value,
        required=f"{Mode.APPROVE.value} or {Mode.AUTOMATIC.value}",
    )


def unmoved_since_earned(case: Case) -> RuleResult:
    """What surrounds the known good is what it earned its trust with; a hotfix earned none yet."""
    if case.is_hotfix:
        return _untrusted(case)
    good = case.record.known_good
    found = moved(good, case.good_release, live=case.live) if good is not None else ()
    # What a policy may not waive: not to know, and another release in the same deployment.
    counts = {*case.policy.approve_when, "release-unknown", "version-moved"}
    blocking = tuple(name for name in found if name in counts)
    return RuleResult(
        rule="unmoved-since-earned",
        passed=good is not None and not blocking,
        observed=", ".join(found) or ("unmoved" if good is not None else "no known good"),
        required="index, prompt and flags as they were when it was earned",
    )


def _untrusted(case: Case) -> RuleResult:
    asked = case.request
    assert asked is not None, "a hotfix is asked for"
    return RuleResult(
        rule="unmoved-since-earned",
        passed=False,
        observed=f"{asked.to} has not earned any trust yet",
        required="a version that has earned trust",
        evidence=f"asked for by {asked.by}: {asked.reason}",
    )


def capacity_enough(case: Case) -> RuleResult:
    """The known good has the instances for all of the traffic."""
    good = case.record.known_good
    short = "unknown"
    if case.good and case.snapshot is not None:
        wanted = good.instances if good is not None and not case.is_hotfix else 0
        short = short_capacity(case.snapshot, case.good, wanted=wanted or 0)
    return RuleResult(
        rule="capacity-enough",
        passed=not short or "short-capacity" not in case.policy.approve_when,
        observed=short or "enough",
        required="as many instances as carry the load now, and as when it was earned",
    )


def mode_automatic(case: Case) -> RuleResult:
    """The service's owner lets Backstop act without a person."""
    return RuleResult(
        rule="mode-automatic",
        passed=case.mode is Mode.AUTOMATIC,
        observed=case.mode.value,
        required=Mode.AUTOMATIC.value,
    )
