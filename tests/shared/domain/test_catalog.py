"""The catalog's own answers: whose a resource is, and when a decision must be made anew."""

import msgspec
import pytest

from shared.domain.catalog import Catalog, CatalogMistake, Dependency, Mode, RollbackPolicy
from shared.domain.slos.slo import Slo
from shared.domain.windows import Once
from tests.shared.domain.incidents.incidents import ENDPOINT, NOW, SERVICE

LOGS = "/subscriptions/s/workspaces/log-claims"
OWNER = msgspec.structs.replace(SERVICE, resources=(LOGS,))


@pytest.mark.parametrize(
    ("resource", "owned"),
    [
        (ENDPOINT, True),
        (ENDPOINT.upper(), True),
        (f"{ENDPOINT}/deployments/v2", True),
        (f"{ENDPOINT}-staging", False),
        (LOGS, True),
        (f"{LOGS}/tables/appevents", True),
        ("/subscriptions/s", False),
        ("", False),
    ],
)
def test_a_service_owns_its_targets_its_resources_and_what_lies_under_them(
    resource: str, owned: bool
) -> None:
    assert OWNER.owns(resource) is owned


@pytest.mark.parametrize(
    "changes",
    [
        {"mode": Mode.AUTOMATIC},
        {"policy": RollbackPolicy(minimum_requests=51)},
        {"slos": (Slo(name="a", sli="availability", objective=0.999),)},
        {"tier": 2},
        {"maintenance": (Once(start=NOW, end=NOW, reason="patches"),)},
        {"dependencies": (Dependency(name="policy-search"),)},
    ],
)
def test_what_a_decision_rests_on_changes_the_policys_hash(changes: dict[str, object]) -> None:
    changed = msgspec.structs.replace(SERVICE, **changes)
    assert changed.policy_hash != SERVICE.policy_hash


def test_what_a_decision_does_not_rest_on_leaves_the_policys_hash() -> None:
    assert msgspec.structs.replace(SERVICE, title="New").policy_hash == SERVICE.policy_hash


def test_a_new_service_is_observed_only() -> None:
    assert SERVICE.mode is Mode.OBSERVE


def test_the_strictest_latency_counts_and_none_is_an_hour() -> None:
    slos = [
        Slo(name=f"l{ms}", sli="latency", objective=0.95, latency_ms=ms) for ms in (4_000, 2_000)
    ]
    quick = msgspec.structs.replace(SERVICE, slos=tuple(slos))
    assert quick.latency_threshold_ms() == 2_000
    assert SERVICE.latency_threshold_ms() == 3_600_000


def test_the_budget_is_what_may_be_bad() -> None:
    budget = Slo(name="a", sli="availability", objective=0.99).budget
    assert budget == pytest.approx(0.01)


def test_the_mistakes_of_a_service_are_found_by_its_name() -> None:
    mine = CatalogMistake(
        file="a.yaml", line=3, field="spec.tier", problem="is missing", service="a"
    )
    catalog = Catalog(mistakes=(mine, msgspec.structs.replace(mine, service="b")))
    assert catalog.broken("a") == (mine,)
