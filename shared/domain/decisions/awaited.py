"""What a version that serves still lacks to be the known good, as people read it.

The soak watch keeps the names of the unmet rules with the endpoint's record, and writes them only
where they change; how long the version has served is counted when somebody reads.
"""

from datetime import datetime, timedelta

from shared.domain.catalog import RollbackPolicy
from shared.domain.decisions.intent import EndpointRecord
from shared.domain.wording import duration

UNSEEN = "Nobody has looked yet which version serves."
_SENTENCES = {
    "objectives-set": "its service has no objective that counts requests",
    "no-open-incident": "an incident of its service is open",
    "still-serving": "another version serves now",
    "soaked": "its release has served less than {soak}",
    "enough-requests": "fewer than {requests:,} requests are counted",
    "objective-held": "it served worse than an objective asks for",
    "deployed-and-succeeded": "its deployment is not in order",
    "capacity": "it has too few instances for the load",
    "probes-passed": "fewer than {probes:.0%} of its probes passed",
    "": "a rule that is not known here",
}


def say_awaited(record: EndpointRecord, policy: RollbackPolicy, now: datetime) -> str:
    """Say what stands between the version that serves and the known good; "" where nothing does."""
    good, since = record.known_good, record.serving_since
    if since is None:
        return UNSEEN
    if not record.serving:
        return "No version takes all of the traffic."
    if good is not None and good.deployment == record.serving and not record.unmet:
        return ""
    missing = "; ".join(dict.fromkeys(_say(rule, policy) for rule in record.unmet))
    if missing:
        return f"{record.serving} waits: {missing}."
    served, wanted = now - since, timedelta(seconds=policy.soak_s)
    if served < wanted:
        return f"{record.serving} has served {duration(served)} of {duration(wanted)}."
    return f"{record.serving} is about to be looked at."


def _say(rule: str, policy: RollbackPolicy) -> str:
    return _SENTENCES[next(name for name in _SENTENCES if rule.startswith(name))].format(
        requests=policy.soak_minimum_requests,
        soak=duration(timedelta(seconds=policy.soak_s)),
        probes=policy.probe_pass_share,
    )
