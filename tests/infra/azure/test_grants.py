"""What the code needs is what the infrastructure grants: no right less, and no right more.

What is needed is read from the code (`needs`), what the platform itself needs is the reviewed table
below. What is granted is grants.json, which Bicep loops over and nothing else gives roles.
"""

import json
import re
from collections.abc import Iterable

import msgspec
import pytest

from infra.local.foundry.seed import SERVICE, seed
from infra.local.foundry.world import World
from shared.adapters.endpoint import Endpoints
from shared.domain.decisions.endpoint import parse_target
from shared.services import CONTAINERS, TABLES
from shared.settings import Role
from tests.infra.azure.bicep import AZURE, body_of, files, is_existing, resources, text, value
from tests.infra.azure.needs import ALL_SUBSCRIPTIONS, ALL_TOPICS, Call, Need, needs, needs_of
from tests.infra.local.foundry.serving import arm_served
from tests.test_requirements import APPS

# The ids of Azure's own roles, as its documentation lists them.
BUILT_IN = {
    "Azure Service Bus Data Receiver": "4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0",
    "Azure Service Bus Data Sender": "69a216fc-b8fb-44d8-bc22-1f3c2cd27a39",
    "Key Vault Crypto User": "12338af0-0e69-4776-bea7-57ae8d297424",
    "Key Vault Secrets Officer": "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
    "Key Vault Secrets User": "4633458b-17de-408a-b874-0445c86b69e6",
    "Log Analytics Data Reader": "3b03c2da-16b3-4a49-8834-0f8130efdd3b",
    "Monitoring Metrics Publisher": "3913510d-42f4-4e42-8a64-420c390055eb",
    "Monitoring Reader": "43d0d8ad-25c7-4714-9337-8ba259a9fe05",
    "Search Index Data Reader": "1407120a-92aa-4202-b7e9-c0c197c71c8f",
    "Storage Blob Data Owner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "Storage Blob Data Reader": "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
    "Storage Table Data Contributor": "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
    "Storage Table Data Reader": "76199698-9eea-4c19-bc75-cec21354c6b6",
}
# What each of them lets one do, in the words of `needs`; none is smaller and suffices.
OFFERED = {
    "Azure Service Bus Data Receiver": {"receive"},
    "Azure Service Bus Data Sender": {"send"},
    "Key Vault Crypto User": {"sign"},  # the key itself takes sign and verify only
    "Key Vault Secrets User": {"secrets"},
    "Log Analytics Data Reader": {"query"},
    "Monitoring Metrics Publisher": {"publish"},
    "Monitoring Reader": {"read"},
    "Search Index Data Reader": {"read-index"},
    "Storage Blob Data Owner": {"own"},
    "Storage Blob Data Reader": {"read"},
    "Storage Table Data Contributor": {"read", "write"},
    "Storage Table Data Reader": {"read"},
}
BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
WORKSPACES = "Microsoft.MachineLearningServices/workspaces"
DONE_BY = {
    "Microsoft.Authorization/permissions/read": "read-rights",
    f"{BLOBS}/add/action": "write",
    f"{BLOBS}/write": "write",
    f"{WORKSPACES}/read": "read",
    f"{WORKSPACES}/onlineEndpoints/read": "read",
    f"{WORKSPACES}/onlineEndpoints/deployments/read": "read-deployments",
    f"{WORKSPACES}/onlineEndpoints/score/action": "score",
    f"{WORKSPACES}/onlineEndpoints/write": "write",
}


def platform(role: Role) -> set[Need]:
    """What the platform needs to run an app: not our code's, and reviewed here by hand."""
    taken = {Role.RESPONDER: ("work/responder", "changes/notify")}
    taken[Role.EXECUTOR] = ("work/executor", "changes/record")
    return {
        Need("host", str(role), "own"),  # the package, the timers' locks
        Need("insights", "", "publish"),  # the host's own telemetry
        Need("vault", str(role), "secrets"),  # settings that are references
        *(Need("subscription", name, "receive") for name in taken[role]),  # the triggers
    }


class Grant(msgspec.Struct, frozen=True):
    """One row of grants.json."""

    identity: str
    role: str
    on: str
    name: str


def grants() -> list[Grant]:
    found = json.loads((AZURE / "grants.json").read_text())
    return msgspec.convert(found["grants"], list[Grant])


def roles() -> dict[str, set[str]]:
    """What each role lets one do: Azure's by review, ours by their actions."""
    known = json.loads((AZURE / "roles.json").read_text())
    ours = {
        role["name"]: {DONE_BY[action] for action in (*role["actions"], *role["dataActions"])}
        for role in known["custom"]
    }
    return OFFERED | ours


def offered(rows: Iterable[Grant], role: Role) -> set[Need]:
    known = roles()
    return {
        Need(row.on, row.name, does)
        for row in rows
        if row.identity == role
        for does in known[row.role]
    }


@pytest.mark.parametrize("role", APPS)
def test_an_app_is_granted_what_it_needs_and_no_more(role: Role) -> None:
    needed, granted = needs(role) | platform(role), offered(grants(), role)
    assert needed - granted == set(), "needed and not granted"
    assert granted - needed == set(), "granted and not needed"


def test_a_right_that_is_taken_away_is_missed_and_one_that_is_added_is_too_much() -> None:
    rows = grants()
    for row in rows:
        role = Role(row.identity)
        fewer = offered([one for one in rows if one is not row], role)
        assert needs(role) | platform(role) > fewer, row
    more = Grant(
        identity="responder", role="Storage Table Data Contributor", on="table", name="ledger"
    )
    assert offered([*rows, more], Role.RESPONDER) - needs(Role.RESPONDER) - platform(
        Role.RESPONDER
    ) == {Need("table", "ledger", "write")}


def test_a_new_call_is_a_new_need() -> None:
    call = Call(module="responders.alert.ingest", client="blobs", method="create", argument="seals")
    assert set(needs_of(call)) == {Need("container", "seals", "write")}
    assert not set(needs_of(call)) & offered(grants(), Role.RESPONDER)
    with pytest.raises(LookupError):
        list(needs_of(Call(module="responders.alert.ingest", client="signer", method="wrap")))


def test_no_row_stands_twice_and_every_name_exists() -> None:
    rows = grants()
    assert len(rows) == len(set(rows))
    names = {"table": TABLES, "container": CONTAINERS, "topic": ALL_TOPICS}
    names["subscription"] = ALL_SUBSCRIPTIONS
    assert [row for row in rows if row.name not in names.get(row.on, (row.name,))] == []


def test_role_ids_are_azure_s() -> None:
    known = json.loads((AZURE / "roles.json").read_text())
    assert known["builtIn"] == BUILT_IN
    used = {row.role for row in grants()} | {"Key Vault Secrets Officer"}  # whoever deploys
    assert used == BUILT_IN.keys() | {role["name"] for role in known["custom"]}


def test_roles_are_given_by_the_table_alone() -> None:
    """Every assignment loops over rows; the one other is of whoever deploys, on the vaults."""
    given = resources("Microsoft.Authorization/roleAssignments")
    loops = [
        (path.stem, text(node))
        for path, node in given
        if re.search(r"for \(?(grant|pair)\b", text(node))
    ]
    others = [
        value(body_of(node), "properties.principalId")
        for _, node in given
        if " for " not in text(node)
    ]
    assert others == ["deployerId"]
    assert len(loops) == len(given) - 1
    for where, said in loops:
        assert re.search(r"roleIds\[(grant|pair)\.role\]", said), where
        assert re.search(r"principalId: principals\[(grant|pair)\.identity\]", said), where


def test_every_kind_of_row_is_handed_on_and_given() -> None:
    """Where rows are chosen (main, apps, and foundry for its three kinds), and in all modules."""
    wanted = {row.on for row in grants()}
    chosen = [AZURE / "main.bicep", *(AZURE / f"modules/{n}.bicep" for n in ("apps", "foundry"))]
    for places in (chosen, files()):
        said = "".join(file.read_text() for file in places)
        assert set(re.findall(r"\.on == '([a-z-]+)'", said)) == wanted


def test_nothing_else_is_defined_as_a_role() -> None:
    ((path, definition),) = resources("Microsoft.Authorization/roleDefinitions")
    assert (path.stem, is_existing(definition)) == ("roles", False)
    assert "for role in roles.custom" in text(definition)


SENT = {
    ("GET", "workspace"): f"{WORKSPACES}/read",
    ("GET", "endpoint"): f"{WORKSPACES}/onlineEndpoints/read",
    ("GET", "deployments"): f"{WORKSPACES}/onlineEndpoints/deployments/read",
    ("PUT", "endpoint"): f"{WORKSPACES}/onlineEndpoints/write",
}


class TestOnTheWire:
    """The custom roles hold the requests that azure-ai-ml really sends, and no other."""

    pytestmark = pytest.mark.filterwarnings(
        "ignore:datetime.*utcnow:DeprecationWarning:azure.ai.ml"
    )

    @pytest.fixture
    async def sent(self) -> set[str]:
        """The actions behind what a reading and a write of the traffic send."""
        world = World(operation_s=0.2)
        seed(world)
        target = parse_target(world.endpoint(SERVICE).id)
        async with arm_served(world) as url:
            adapter = Endpoints(None, url, poll_s=0.05)
            snapshot = await adapter.read(target)
            await adapter.write_traffic(target, {"v1": 90, "v2": 10}, deadline_s=10)
            await adapter.wait_idle(target, timeout_s=10)
            await adapter.close()
        assert snapshot.idle
        return {SENT[entry.method, self.kind_of(entry.path)] for entry in world.journal}

    @staticmethod
    def kind_of(path: str) -> str:
        tail = path.lower().partition("/workspaces/")[2].strip("/").split("/")[1:]
        return {0: "workspace", 2: "endpoint", 3: "deployments"}[len(tail)]

    def test_the_roles_hold_what_is_sent(self, sent: set[str]) -> None:
        known = json.loads((AZURE / "roles.json").read_text())["custom"]
        held = {action for role in known for action in role["actions"]}
        assert held - sent == {
            f"{WORKSPACES}/onlineEndpoints/score/action",  # sent by probes
            "Microsoft.Authorization/permissions/read",  # by the readiness probe
        }
        assert sent <= held
