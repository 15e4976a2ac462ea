"""A service with everything that rules watch."""

from shared.domain.catalog import Contact, Dependency, Service, Target, TargetKind
from shared.domain.slos.slo import BurnAlert, Indicator, Slo

TARGET = (
    "/subscriptions/f001/resourcegroups/rg/providers/microsoft.machinelearningservices/e/quotes"
)
FAST = BurnAlert(burn_rate=14.4, short_window="5m", long_window="1h")
SLOW = BurnAlert(burn_rate=6.0, short_window="30m", long_window="6h")
TWO_DAYS = BurnAlert(burn_rate=2.0, short_window="4h", long_window="2d")
THREE_DAYS = BurnAlert(burn_rate=1.0, short_window="6h", long_window="3d")

ANSWERED = Slo(
    name="quotes-availability",
    sli="availability",
    objective=0.99,
    alerts=(SLOW, FAST, TWO_DAYS, THREE_DAYS),
)
ACCEPTED = Slo(
    name="accepted",
    sli="quality",
    objective=0.9,
    indicator=Indicator(
        table="AppEvents",
        where='Name == "backstop.outcome"',
        good='tostring(Properties["backstop.outcome"]) != "rejected"',
        label_source="outcome",
    ),
    alerts=(SLOW,),
)
QUOTES = Service(
    name="quotes",
    title="Quotes",
    owner="travel",
    tier=2,
    rto_s=900,
    rpo_requests=0,
    contacts=(Contact(name="Travel", role="responder", pager="travel"),),
    targets=(Target(kind=TargetKind.ONLINE_ENDPOINT, id=TARGET),),
    slos=(ANSWERED, ACCEPTED),
    dependencies=(
        Dependency(name="rates", kind="index"),
        Dependency(name="policy_lookup", kind="tool"),
        Dependency(name="coverage_check", kind="tool"),
        Dependency(name="claims"),
    ),
    regions=("westeurope", "swedencentral", "northeurope"),
)
