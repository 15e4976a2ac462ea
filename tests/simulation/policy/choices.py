"""What may happen in a history, and how: mostly nothing strange, and each strange thing alone."""

from hypothesis import strategies as st

from tests.fakes.endpoints import Write
from tests.simulation.policy.model import EVERY_REASON, Deployed, Foreseen, Shipped

NAMES = st.sampled_from(("v1", "v2", "v3"))
SWITCHES = st.sampled_from(("*", "fnol-summary"))
MINUTES = st.sampled_from((1, 10, 30, None))
UNTIL_S = st.sampled_from((30.0, 600.0))
SPLITS = st.sampled_from(
    (
        {"v2": 100},
        {"v1": 100},
        {"v3": 100},
        {"v1": 90, "v2": 10},
        {"v1": 50, "v2": 50},
        {"v2": 50, "v1": 30, "v3": 20},
        {},
    )
)
FATES = st.sampled_from((Write.ACCEPTED, Write.UNHEARD, Write.LOST, Write.REFUSED))
RESTS = st.sampled_from((0.0, 300.0, 899.0, 900.0))
MOSTLY_NOT = st.sampled_from((False, False, False, True))
NOT_ASKED = "not asked"
ROLES = st.sampled_from((("v2", "v1"), ("v3", "v1"), ("v3", "v2"), ("v1", "v2")))  # bad, good
SHIPPED = {"v1": Shipped("1.4.0"), "v2": Shipped("1.5.0", prompt="p8"), "v3": Shipped("1.6.0")}
MADE_OF = st.sampled_from(
    (
        Shipped("1.4.0"),
        Shipped("1.5.0", prompt="p8"),
        Shipped("1.4.0", index="i4"),
        Shipped("1.4.0", flags="f2"),
        Shipped("1.4.0", prompt="p9"),
        Shipped("1.7.0", index="", flags=""),
    )
)
USUAL: st.SearchStrategy[dict[str, object]] = st.just({})
SAID = USUAL | st.sampled_from(
    (
        {"health": "inconclusive", "cause": "unknown"},
        {"health": "healthy", "cause": "none"},
        {"health": "healthy"},
        {"cause": "region"},
        {"cause": "upstream"},
        {"cause": "index"},
        {"cause": "unknown"},
        {"version": "v1"},
        {"version": "v3"},
        {"requests": 49},
        {"burn_short": 3.9},
        {"burn_long": 0.0},
        {"burn_requests": 49},
        {"blamed_by": ("onset",)},
        {"blamed_by": ("contrast",)},
        {"unanswered": 1},
        {"burn_short": 9.9},
    )
)
SEVERITIES = st.sampled_from((1, 1, 0, 2))
FORESEEN = st.sampled_from((None, Foreseen(1, 10.0), Foreseen(0, 10.0), Foreseen(1, 60.0)))
ASKS = st.sampled_from(
    (
        EVERY_REASON,
        EVERY_REASON,
        frozenset(),
        frozenset({"freeze"}),
        EVERY_REASON - {"freeze"},
    )
)
OTHERS = st.sampled_from(("switch", "deploy", "freeze"))  # who is at it meanwhile
DEPLOYED = st.sampled_from(
    (
        Deployed(),
        Deployed(instances=1),
        Deployed(instances=3),
        Deployed(instances=0),
        Deployed(instances=4),
        Deployed(state="Failed"),
        Deployed(state="Updating"),
        None,
    )
)
