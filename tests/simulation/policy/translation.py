"""The model's plain facts in the product's types."""

from datetime import datetime, timedelta

from shared.domain.catalog import CatalogMistake
from shared.domain.decisions.endpoint import Deployment
from shared.domain.decisions.release import KnownGood, Release
from shared.domain.diagnosis.diagnosis import Attribution, Burn, Cause, Diagnosis, Ground, Health
from tests.fakes.scene import NOW, SERVICE
from tests.simulation.policy.model import Deployed, Diagnosed, Shipped, Trusted

REGION = "swedencentral"
MISTAKE = CatalogMistake(
    file="fnol-summary.yaml",
    line=7,
    field="spec.mode",
    problem="no such mode",
    service=SERVICE.name,
)


def moment(at: float) -> datetime:
    """A moment of the history, counted in seconds from its beginning."""
    return NOW + timedelta(seconds=at)


def deployments(deployed: dict[str, Deployed]) -> tuple[Deployment, ...]:
    return tuple(
        Deployment(name=name, state=one.state, instances=one.instances)
        for name, one in deployed.items()
    )


def registered(deployment: str, shipped: Shipped, at: datetime) -> Release:
    return Release(
        service=SERVICE.name,
        version=shipped.version,
        deployment=deployment,
        who="pipeline",
        why="release",
        registered_at=at,
        prompt_revision=shipped.prompt,
        index_version=shipped.index,
        flags_version=shipped.flags,
    )


def known_good(good: Trusted) -> KnownGood:
    return KnownGood(
        deployment=good.deployment,
        version=good.made_of.version,
        earned_at=moment(good.at),
        soaked_s=86_400,
        requests=40_000,
        instances=good.instances,
        prompt_revision=good.made_of.prompt,
        index_version=good.made_of.index,
        flags_version=good.made_of.flags,
    )


def diagnosis_of(incident: str, found: Diagnosed) -> Diagnosis:
    windows: dict[str, tuple[int, int, float | None]] = {
        "5m": (found.burn_requests, 0, found.burn_short),
        "1h": (found.burn_requests, 0, found.burn_long),
    }
    burn = Burn(
        slo="fnol-availability", sli="availability", dimension="", value="", windows=windows
    )
    cause = Cause(found.cause)
    return Diagnosis(
        incident=incident,
        made_at=moment(found.at),
        health=Health(found.health),
        sentence="a made-up sentence",
        burns=(burn,),
        attribution=Attribution(
            cause=cause,
            version=found.version if cause is Cause.VERSION else "",
            grounds=tuple(Ground(one) for one in found.blamed_by),
        ),
        unanswered=("index_age: timed out",) * found.unanswered,
        onset_at=moment(found.at - 30),
        affected=f"region={REGION}",
        requests=found.requests,
        bad_requests=found.requests // 2,
        bad_share=0.5,
        regions_hit=(REGION,),
    )


def bin_since(since: datetime, number: int, helped: bool) -> dict[str, object]:
    return {
        "TimeGenerated": since + timedelta(seconds=10 * number),
        "Deployment": "v1",
        "Region": REGION,
        "Total": 30,
        "Failed": 0 if helped else 15,
        "P95Ms": 120.0,
    }
