"""The policy of a service's file: when traffic may move, and how much noise is too much.

Part of reading one service (`shared.adapters.catalog_service`). What a file leaves out is usual.
"""

from shared.adapters.catalog_fields import DAY, HOUR, MINUTE, NAME, Section
from shared.domain.catalog import REASONS_TO_ASK, Emergency, RollbackPolicy
from shared.domain.incidents.incident import Severity
from shared.domain.slos.slo import WINDOWS, Slo, least_requests, reachable

LONGEST_APPROVAL = 15 * MINUTE  # what was judged is not the same world after that
_GRAVE = (Severity.SEV0.value, Severity.SEV1.value)  # nothing milder is an emergency


def read_policy(spec: Section, slos: tuple[Slo, ...]) -> RollbackPolicy:
    """Read the policy; where the file has none, the usual one."""
    if not spec.has("policy"):
        _check_reach(spec, "policy", RollbackPolicy().burn_rate, slos)
        return RollbackPolicy()
    section = spec.section("policy")
    policy = _fields(section, RollbackPolicy())
    if WINDOWS.index(policy.short_window) >= WINDOWS.index(policy.long_window):
        section.mistake("short_window", "is not shorter than long_window", "5m with 1h, say")
    _check_reach(section, "burn_rate", policy.burn_rate, slos)
    if policy.emergency:
        _check_reach(section, "emergency", policy.emergency.burn_rate, slos)
    _check_minimum(section, policy, slos)
    section.close()
    return policy


def _check_minimum(section: Section, policy: RollbackPolicy, slos: tuple[Slo, ...]) -> None:
    """Advise against a minimum so low that one bad request burns as fast as the policy says."""
    rate, asked = policy.burn_rate, policy.minimum_requests
    if not slos or not section.has("minimum_requests") or rate <= 0:
        return
    least = max(least_requests(rate, slo.objective) for slo in slos)
    if asked < least:
        problem = f"one bad request of {asked} burns {rate:g} times too fast"
        section.advise("minimum_requests", problem, f"{least} or more")


def _check_reach(section: Section, field: str, burn_rate: float, slos: tuple[Slo, ...]) -> None:
    """Find a burn that none of the objectives can have: traffic would never be moved by it."""
    if not slos or any(reachable(burn_rate, slo.objective) for slo in slos):
        return
    strictest = max(slos, key=lambda slo: slo.objective)
    most = f"at most {1 / strictest.budget:.4g}: a burn of all requests at {strictest.name}"
    section.mistake(field, f"a burn of {burn_rate:g} can never be reached", most)


def _fields(section: Section, usual: RollbackPolicy) -> RollbackPolicy:
    return RollbackPolicy(
        id=section.text("id", usual.id, pattern=NAME),
        burn_rate=section.number("burn_rate", 0, 1_000, usual.burn_rate),
        short_window=section.one_of("short_window", WINDOWS, usual.short_window),
        long_window=section.one_of("long_window", WINDOWS, usual.long_window),
        minimum_requests=section.whole("minimum_requests", 1, 1_000_000, usual.minimum_requests),
        cooldown_s=section.seconds("cooldown", 0, 7 * DAY, usual.cooldown_s),
        max_rollbacks_per_hour=section.whole(
            "max_rollbacks_per_hour", 1, 2, usual.max_rollbacks_per_hour
        ),
        probes=section.whole("probes", 1, 200, usual.probes),
        probe_pass_share=section.number("probe_pass_share", 0.5, 1, usual.probe_pass_share),
        soak_s=section.seconds("soak", 1, 30 * DAY, usual.soak_s),
        soak_minimum_requests=section.whole(
            "soak_minimum_requests", 1, 10_000_000, usual.soak_minimum_requests
        ),
        verify_after_s=section.seconds("verify_after", 1, HOUR, usual.verify_after_s),
        verify_checks=section.whole("verify_checks", 1, 20, usual.verify_checks),
        acknowledge_within_s=section.seconds(
            "acknowledge_within", 10, HOUR, usual.acknowledge_within_s
        ),
        storm_alerts=section.whole("storm_alerts", 2, 100, usual.storm_alerts),
        flap_window_s=section.seconds("flap_window", MINUTE, DAY, usual.flap_window_s),
        approval_expires_s=section.seconds(
            "approval_expires", MINUTE, LONGEST_APPROVAL, usual.approval_expires_s
        ),
        quorum=section.whole("quorum", 1, 5, usual.quorum),
        deployer_may_approve=section.flag(
            "deployer_may_approve", default=usual.deployer_may_approve
        ),
        approve_when=_read_reasons(section, usual),
        emergency=_read_emergency(section),
        review_days=section.whole("review_days", 1, 30, usual.review_days),
        report_major_within_s=section.seconds(
            "report_major_within", MINUTE, 30 * DAY, usual.report_major_within_s
        ),
    )


def _read_reasons(section: Section, usual: RollbackPolicy) -> tuple[str, ...]:
    given = section.texts("approve_when", pattern="|".join(REASONS_TO_ASK))
    return given if section.has("approve_when") else usual.approve_when


def _read_emergency(section: Section) -> Emergency | None:
    """Read what waives an approval; a mistake in it waives nothing, as the file is not acted on."""
    if not section.has("emergency"):
        return None
    inside = section.section("emergency")
    severity = Severity(inside.one_of("severity", _GRAVE))
    emergency = Emergency(severity=severity, burn_rate=inside.number("burn_rate", 0, 1_000))
    inside.close()
    return emergency
