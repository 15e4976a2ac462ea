"""How a version behaves, and what then happens to one request. Pure: chance comes from outside.

`scoring` asks `happen` once a request and turns the answer into HTTP and telemetry. A behaviour is
the version's own; `Troubles` are the world's and hit every version alike, so that telling the two
apart is a real question.
"""

from collections.abc import Mapping
from random import Random

import msgspec

TOOLS = ("policy_lookup", "coverage_check")
HEALTHY_ERRORS = {"*": 0.001}
HEALTHY_OUTCOMES = {"accepted": 0.86, "edited": 0.11, "rejected": 0.03}
STALE_OUTCOMES = {"accepted": 0.52, "edited": 0.26, "rejected": 0.22}


class Behaviour(msgspec.Struct, frozen=True, kw_only=True):
    """Rates from 0 to 1; those by region fall back to the key "*", else to 0.

    `error_rate`: the model refuses, because the prompt overflows its context. `tool_failure_rate`:
    by tool. `upstream_429`: the model's own rate limit. `latency_ms` is the middle of a spread of a
    quarter to both sides.
    """

    latency_ms: float = 120.0
    error_rate: dict[str, float] = msgspec.field(default_factory=HEALTHY_ERRORS.copy)
    tool_failure_rate: dict[str, float] = {}
    safety_block_rate: float = 0.004
    upstream_429: dict[str, float] = {}
    outcomes: dict[str, float] = msgspec.field(default_factory=HEALTHY_OUTCOMES.copy)
    input_tokens: int = 2400


HEALTHY = Behaviour()


def overflowing(region: str, rate: float = 0.5) -> Behaviour:
    """Behave as a prompt that no longer fits beside one region's long policy wordings."""
    errors = {**HEALTHY.error_rate, region: rate}
    return Behaviour(error_rate=errors, input_tokens=7900)


def slowed(latency_ms: float) -> Behaviour:
    """Answer everything well, but late."""
    return Behaviour(latency_ms=latency_ms)


def tool_broken(tool: str, rate: float = 0.4) -> Behaviour:
    """Call one tool in a way that it often refuses."""
    return Behaviour(tool_failure_rate={tool: rate})


def overcautious(rate: float = 0.25) -> Behaviour:
    """Trip content safety with a prompt that quotes injuries too literally."""
    return Behaviour(safety_block_rate=rate)


def disliked(rejected: float = 0.3) -> Behaviour:
    """Answer quickly and without error what the claims handlers then reject."""
    rest = 1.0 - rejected
    return Behaviour(outcomes={"accepted": rest * 0.7, "edited": rest * 0.3, "rejected": rejected})


class Troubles(msgspec.Struct, kw_only=True):
    """What is wrong with the world, whichever version serves. Mutable: drills switch it."""

    regions_out: set[str] = msgspec.field(default_factory=set)
    upstream_429: dict[str, float] = msgspec.field(default_factory=dict)
    tools_out: set[str] = msgspec.field(default_factory=set)
    index_stopped_at: float | None = None


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to one request. `cause` is empty when it was answered.

    `model_status` is None when the request never came as far as the model; `outcome` is what the
    business made of the answer, empty when there was nothing to judge.
    """

    status: int
    latency_ms: float
    cause: str = ""
    failed_tool: str = ""
    model_status: int | None = 200
    blocked: bool = False
    outcome: str = ""

    @property
    def good(self) -> bool:
        """Whether the customer got an answer."""
        return self.status == 200


def happen(behaviour: Behaviour, region: str, troubles: Troubles, rng: Random) -> Happening:
    """Decide one request's fate: the world's troubles first, then the version's own."""
    latency_ms = behaviour.latency_ms * rng.uniform(0.75, 1.25)
    failure = _failure(behaviour, region, troubles, rng)
    if failure is not None:
        return msgspec.structs.replace(failure, latency_ms=latency_ms)
    if rng.random() < behaviour.safety_block_rate:
        return Happening(status=200, latency_ms=latency_ms, blocked=True)
    return Happening(status=200, latency_ms=latency_ms, outcome=_outcome(behaviour, troubles, rng))


def _failure(
    behaviour: Behaviour, region: str, troubles: Troubles, rng: Random
) -> Happening | None:
    if region in troubles.regions_out:
        return _failed("region_unavailable", 503)
    tool = _failing_tool(behaviour, troubles, rng)
    if tool:
        return Happening(
            status=424, latency_ms=0.0, cause="tool_failed", failed_tool=tool, model_status=None
        )
    throttled = max(_rate(behaviour.upstream_429, region), _rate(troubles.upstream_429, region))
    if rng.random() < throttled:
        return _failed("too_many_requests", 429)
    if rng.random() < _rate(behaviour.error_rate, region):
        return _failed("context_length_exceeded", 400)
    return None


def _failed(cause: str, model_status: int) -> Happening:
    # A managed endpoint answers 424 when the code behind it failed.
    return Happening(status=424, latency_ms=0.0, cause=cause, model_status=model_status)


def _failing_tool(behaviour: Behaviour, troubles: Troubles, rng: Random) -> str:
    for tool in TOOLS:
        if tool in troubles.tools_out or rng.random() < _rate(behaviour.tool_failure_rate, tool):
            return tool
    return ""


def _outcome(behaviour: Behaviour, troubles: Troubles, rng: Random) -> str:
    # Summaries from yesterday's policy wordings read well and are wrong.
    stale = troubles.index_stopped_at is not None
    outcomes = STALE_OUTCOMES if stale else behaviour.outcomes
    return rng.choices(list(outcomes), list(outcomes.values()))[0]


def _rate(rates: Mapping[str, float], key: str) -> float:
    return rates.get(key, rates.get("*", 0.0))
