"""The scene: a stored and diagnosed incident, its decision's plan, and v2 with all the traffic.

Made once by the product's own types and copied for each run. The second plan belongs to a second
incident about the same endpoint and wants another version back.
"""

import msgspec

from shared.domain.decisions.intent import EndpointRecord
from shared.domain.incidents.incident import Incident, State
from shared.domain.keys import digest
from shared.domain.row import Stored
from shared.protocol.commit import incident_row
from tests.fakes.scene import INCIDENT, NOW, PLAN, RECORD, SERVICE, SHARD, SNAPSHOT, TARGET
from tests.fakes.services import catalog_of, make_settings
from tests.simulation.writing.parts import Outside, Rows
from tests.simulation.writing.stage import Stage
from tests.simulation.writing.witness import Witness

SECOND = msgspec.structs.replace(INCIDENT, id=f"INC-{SHARD}-261123-0A1B2C3E")
PLANS = (
    PLAN,
    msgspec.structs.replace(
        PLAN, id="plan-2", incident=SECOND.id, good="old", after={"old": 100, "v2": 0}
    ),
)
INCIDENTS = (INCIDENT, SECOND)
CATALOG = catalog_of(SERVICE)
SETTINGS = make_settings()
ENDPOINT_ROW = f"endpoint|{digest(TARGET)}"


def _stored(row: str, value: msgspec.Struct) -> Stored[msgspec.Struct]:
    return Stored(row=row, value=value, etag="0")


def _rows(plans: int) -> Rows:
    kept: list[tuple[str, msgspec.Struct]] = [(ENDPOINT_ROW, RECORD)]
    kept += [(incident_row(one.id), one) for one in INCIDENTS[:plans]]
    return {row: _stored(row, value) for row, value in kept}


_ROWS = {plans: {SHARD: _rows(plans), "controls": {}} for plans in (1, 2)}


def new_outside(stage: Stage, plans: int) -> tuple[Outside, Witness]:
    """The world before the act, and who watches it."""
    witness = Witness(stage, {plan.id: plan for plan in PLANS[:plans]}, NOW)
    return Outside(stage, witness, _ROWS[plans], SNAPSHOT), witness


def record_of(outside: Outside) -> EndpointRecord:
    """The endpoint's record as it is stored now."""
    record = outside.state.partitions[SHARD][ENDPOINT_ROW].value
    assert isinstance(record, EndpointRecord)
    return record


def incident_of(outside: Outside, number: int) -> Incident:
    """An incident as it is stored now."""
    incident = outside.state.partitions[SHARD][incident_row(INCIDENTS[number].id)].value
    assert isinstance(incident, Incident)
    return incident


def is_over(outside: Outside, plans: int) -> bool:
    """Whether nothing is left to be carried out."""
    under_way = (State.DIAGNOSED, State.ACTING)
    return all(incident_of(outside, number).state not in under_way for number in range(plans))
