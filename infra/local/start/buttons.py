"""The buttons of the drills page: what each does to the world, and what one should see then."""

import msgspec


class Drill(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that can be done to the world, and what Backstop should make of it.

    `breaks` says what is out of order from then on, until it is healed; "" where nothing is.
    """

    name: str
    title: str
    expect: str
    breaks: str = ""


DRILLS = (
    Drill(
        name="ship-v2",
        title="Ship v2",
        expect="A release pipeline moves all traffic to v2. After some seconds its longer prompt "
        "overflows the model's context in swedencentral: Backstop moves the traffic back to v1.",
    ),
    Drill(name="ship-v1", title="Ship v1", expect="The pipeline moves all traffic to v1."),
    Drill(
        name="stale-index",
        title="Stop the indexer",
        expect="Both versions answer 200 from an old index. The health check asks the index for "
        "its newest document and says within 20 s how old that is: Backstop moves nothing and "
        "names the index.",
        breaks="the index stands still",
    ),
    Drill(
        name="region-out",
        title="Take a region out",
        expect="The model of swedencentral is gone for both versions: no rollback can help. "
        "Backstop moves nothing and names the region.",
        breaks="swedencentral has no model",
    ),
    Drill(
        name="upstream-429",
        title="Throttle the models",
        expect="The models answer 429 to both versions: Backstop holds and names them.",
        breaks="the models are throttled",
    ),
    Drill(
        name="logs-out",
        title="Take the logs out",
        expect="Nothing can be found out any more. Ship v2 as well: Backstop says so, pages, and "
        "moves nothing.",
        breaks="the logs are out",
    ),
    Drill(
        name="arm-out",
        title="Take ARM out",
        expect="The endpoint cannot be read any more. Ship v2 as well: Backstop says that it could "
        "not find out, and pages.",
        breaks="ARM is out",
    ),
    Drill(
        name="bus-out",
        title="Take the bus out",
        expect="Alerts are still accepted, and for a grave one somebody is paged after 20 s; what "
        "else they cause happens once the bus is back.",
        breaks="the bus is out",
    ),
    Drill(
        name="webhooks-out",
        title="Take the webhooks out",
        expect="Alerts fire and nobody is told. Ship v2 as well: within two minutes Backstop finds "
        "the alert by asking for it, and moves the traffic back.",
        breaks="no webhook is called",
    ),
    Drill(
        name="kill-executor",
        title="Kill the executor",
        expect="SIGKILL, and a new one two seconds later: it goes on from what the tables say.",
    ),
    Drill(
        name="delete-known-good",
        title="Delete the known good",
        expect="v1 is deleted, unless it serves: ship v2 before. Then nothing is left to go back "
        "to, and Backstop says so. Start anew to get it back.",
    ),
    Drill(
        name="heal",
        title="Heal",
        expect="Ends what the drills have broken; what was shipped stays shipped.",
    ),
)
