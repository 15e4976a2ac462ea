"""What the deployment must know of the services: pagers, subscriptions, and rights by mode."""

from typing import Any

import msgspec
import pytest
from msgspec import structs

from infra.generate.services import services_file
from shared.domain.catalog import Catalog, Contact, Mode, Service, Target, TargetKind

FOUNDRY = "/subscriptions/{}/resourcegroups/rg/providers/microsoft.machinelearningservices"
ENDPOINT = FOUNDRY + "/workspaces/{}/onlineendpoints/{}"


def target(subscription: str, workspace: str, endpoint: str) -> Target:
    where = ENDPOINT.format(subscription, workspace, endpoint)
    return Target(kind=TargetKind.ONLINE_ENDPOINT, id=where)


def service(name: str, mode: Mode, *targets: Target, pager: str = "ai") -> Service:
    return Service(
        name=name,
        title=name,
        owner="team",
        tier=1,
        rto_s=60,
        rpo_requests=0,
        contacts=(Contact(name="On call", role="responder", pager=pager),),
        targets=targets,
        slos=(),
        mode=mode,
    )


def written(*services: Service) -> Any:
    return msgspec.json.decode(services_file(Catalog(services={one.name: one for one in services})))


@pytest.mark.parametrize(
    ("mode", "write"),
    [
        (Mode.OBSERVE, False),
        (Mode.RECOMMEND, False),
        (Mode.APPROVE, True),
        (Mode.AUTOMATIC, True),
    ],
)
def test_traffic_may_be_written_where_the_mode_may_move_it(mode: Mode, write: bool) -> None:
    found = written(service("a", mode, target("s1", "w1", "e1")))
    assert found["workspaces"] == [
        {
            "subscription": "s1",
            "group": "rg",
            "workspace": "w1",
            "endpoints": [{"name": "e1", "write": write}],
        }
    ]


def test_the_endpoints_of_one_workspace_stand_together_whoever_owns_them() -> None:
    one = service("a", Mode.OBSERVE, target("s1", "w1", "e2"))
    another = service("b", Mode.APPROVE, target("s1", "w1", "e1"), target("s2", "w1", "e3"))
    found = written(one, another)
    names = [[end["name"] for end in place["endpoints"]] for place in found["workspaces"]]
    assert names == [["e1", "e2"], ["e3"]]
    assert found["subscriptions"] == ["s1", "s2"]
    assert found == written(another, one)


def test_an_agent_needs_no_right_of_its_own_but_its_subscription_is_asked() -> None:
    agent = Target(kind=TargetKind.AGENT, id="/subscriptions/s9/resourcegroups/rg/agents/x")
    found = written(service("a", Mode.OBSERVE, agent))
    assert (found["workspaces"], found["subscriptions"]) == ([], ["s9"])


def test_the_pager_of_what_nobody_owns_is_always_there() -> None:
    found = written(structs.replace(service("a", Mode.OBSERVE), contacts=()))
    assert found["pagers"] == ["duty"]
