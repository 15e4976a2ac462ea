"""Somebody else's service, as its file in the catalog describes it."""

from shared.domain.catalog import Dependency, Target, TargetKind
from tests.shared.domain.decisions.worked_case import alter
from tests.shared.domain.incidents.situations import SERVICE

ARM_ID = (
    "/subscriptions/f2/resourcegroups/rg/providers/microsoft.machinelearningservices"
    "/workspaces/mlw/onlineendpoints/quotes-live"
)
QUOTES = alter(
    SERVICE,
    name="quotes",
    targets=(Target(kind=TargetKind.ONLINE_ENDPOINT, id=ARM_ID),),
    regions=("norwayeast", "norwaywest"),
    dependencies=(Dependency(name="tariffs", kind="index"),),
)
