"""The query of what was served with what, run by the real SDK against the local service."""

from shared.adapters.logs import Logs
from tests.infra.local.logs.workspace import ask, make_store
from tests.shared.queries.telemetry import (
    BIN,
    LAG,
    SERVICE,
    SINCE,
    Row,
    counted,
    prop,
    requests,
    weigh,
    within,
)

CONFIGURATION = "backstop.configuration_digest"


def configured(row: Row) -> Row:
    """Some of v2's requests name a configuration, some another, v1's name none."""
    if row["Properties"]["backstop.deployment"] == "v1":
        return row
    digest = "c0ffee" if row["ItemCount"] == 1 else "beef"
    return row | {"Properties": row["Properties"] | {CONFIGURATION: digest}}


ROWS = [configured(row) for row in requests(300)]


def key_of(row: Row) -> tuple[str, str, str]:
    names = ("backstop.deployment", "backstop.prompt_version", CONFIGURATION)
    deployment, prompt, configuration = (prop(name)(row) for name in names)
    return deployment, prompt, configuration


async def rows_of(logs: Logs) -> list[dict[str, object]]:
    return list((await logs.query("served", Service=SERVICE, Since=SINCE)).rows)


async def test_each_deployment_is_told_with_what_it_served_and_until_when() -> None:
    with make_store() as store:
        store.append("AppRequests", ROWS)
        async with ask(store, lag_s=LAG.total_seconds(), bin_s=BIN.total_seconds()) as logs:
            found = await rows_of(logs)

    groups = counted(within(ROWS, SINCE), key_of)
    assert len(groups) == 6
    assert found == [
        {
            "Deployment": deployment,
            "PromptVersion": prompt,
            "ConfigurationDigest": configuration,
            "Total": weigh(rows),
            "LastSeen": max(row["TimeGenerated"] for row in rows),
        }
        for (deployment, prompt, configuration), rows in sorted(groups.items())
    ]
