"""The product under a history: the real decision, act and verification over the fakes.

Each method lets one thing happen outside, or lets the product do its part through the real
responders. What came of it is read back from the tables and from the endpoint.
"""

from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from typing import Any

import msgspec

from responders.alert import enforce as enforcing
from responders.alert.verify import verify
from responders.people.control import set_kill_switch
from responders.people.freeze import set_freeze
from shared.domain.authority.caller import AppRole
from shared.domain.catalog import REASONS_TO_ASK, Catalog, Emergency, Mode, Service
from shared.domain.decisions.decide import decide
from shared.domain.decisions.decision import Decision
from shared.domain.decisions.intent import EndpointRecord, Intent
from shared.domain.freezes.freeze import FreezeWindow
from shared.domain.incidents.incident import Incident, Severity, State
from shared.domain.incidents.steps import record_diagnosis, resolve
from shared.domain.keys import digest
from shared.domain.noise.storm import Storm
from shared.domain.row import Put
from shared.domain.slos.slo import BudgetAction
from shared.domain.views.http import Request
from shared.domain.windows import Once
from shared.errors import Unavailable
from shared.protocol.commit import incident_row
from shared.protocol.records import CONTROLS, release_row
from shared.protocol.revise import Revision, revise
from tests.fakes import FakeServices, catalog_of
from tests.fakes.callers import person
from tests.fakes.endpoints import Write
from tests.fakes.scene import NOW, SERVICE, SHARD, TARGET, message, new_services, store_incident
from tests.shared.domain.slos.states import asking_for
from tests.simulation.policy.model import (
    EVERY_REASON,
    Deployed,
    Diagnosed,
    Foreseen,
    Shipped,
    Trusted,
)
from tests.simulation.policy.translation import (
    MISTAKE,
    bin_since,
    deployments,
    diagnosis_of,
    known_good,
    moment,
    registered,
)

ENDPOINT_ROW = f"endpoint|{digest(TARGET)}"

type Interference = Callable[[], Awaitable[None]]
type Run = Callable[[Coroutine[Any, Any, Any]], Any]


async def _out() -> None:
    raise Unavailable("tables", "the control rows do not answer")


class PolicyWorld:
    """One service, its endpoint and its tables. `run` carries a coroutine out."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._services: FakeServices = new_services()
        self._outside = self._services.outside
        self._outside.scoring.failing.add("v2")
        self._incidents = 0
        self._releases = 0
        self._id = ""
        self._kept = SERVICE

    # What people and pipelines do.

    def wait(self, seconds: float) -> None:
        self._outside.wait(seconds)

    def configure(self, **changes: Any) -> None:
        """The service's file is in order, and says this."""
        self._outside.catalog = catalog_of(msgspec.structs.replace(self._service(), **changes))

    def spoil_file(self) -> None:
        self._kept = self._service()
        self._outside.catalog = Catalog(mistakes=(MISTAKE,))

    def mend_file(self) -> None:
        self._outside.catalog = catalog_of(self._kept)

    def set_mode(self, mode: str) -> None:
        self.configure(mode=Mode(mode))

    def plan_maintenance(self, until: float) -> None:
        window = Once(start=NOW - timedelta(days=1), end=moment(until), reason="the index")
        self.configure(maintenance=(window,))

    def split(self, *, possible: bool) -> None:
        target = msgspec.structs.replace(
            SERVICE.targets[0], capabilities=("split",) if possible else ("pointer",)
        )
        self.configure(targets=(target,))

    async def turn_switch(self, scope: str, *, on: bool, minutes: int | None) -> None:
        asked = {"scope": scope, "on": on, "reason": "a drill", "minutes": minutes}
        body = msgspec.json.encode(asked)
        request = Request(body=body, caller=person(AppRole.COMMANDER))
        await set_kill_switch(self._services, request)

    async def freeze(self, scope: str, *, on: bool, minutes: int) -> None:
        asked = {"scope": scope, "on": on, "reason": "the ledger closes", "minutes": minutes}
        body = msgspec.json.encode(asked)
        await set_freeze(self._services, Request(body=body, caller=person(AppRole.COMMANDER)))

    async def spend_budget(self, *, asks: bool) -> None:
        """Store what the watch over error budgets would: a line that asks for a person, or none."""
        spent = asking_for(BudgetAction.APPROVE, SERVICE.name)
        state = spent if asks else msgspec.structs.replace(spent, crossed=())
        put = Put(row=f"budget|{SERVICE.name}|x", value=state)
        await self._services.state.write(CONTROLS, [put])

    def plan_freeze(self, until: float) -> None:
        window = Once(start=NOW - timedelta(days=1), end=moment(until), reason="year end")
        self.configure(freezes=(FreezeWindow(name="x", scope=SERVICE.name, window=window),))

    def ask_for(self, reasons: frozenset[str]) -> None:
        named = (*(one for one in REASONS_TO_ASK if one not in EVERY_REASON), *sorted(reasons))
        policy = msgspec.structs.replace(self._service().policy, approve_when=named)
        self.configure(policy=policy)

    def foresee(self, foreseen: Foreseen | None) -> None:
        criteria = foreseen and Emergency(
            severity=Severity(f"SEV{foreseen.severity}"), burn_rate=foreseen.burn
        )
        policy = msgspec.structs.replace(self._service().policy, emergency=criteria)
        self.configure(policy=policy)

    def deploy(self, deployed: dict[str, Deployed]) -> None:
        self._outside.endpoints.change(deployments=deployments(deployed))

    async def move(self, traffic: dict[str, int]) -> None:
        self._outside.endpoints.move(traffic)

    def occupy(self, *, busy: bool) -> None:
        self._outside.endpoints.start_operation(1_000_000 if busy else 0)

    def register(self, deployment: str, shipped: Shipped) -> None:
        self._releases += 1
        at = self._outside.now + timedelta(microseconds=self._releases)
        release = registered(deployment, shipped, at)
        self._write(release_row(release), release)

    def trust(self, good: Trusted | None) -> None:
        record = self.record()
        known = known_good(good) if good is not None else None
        self._write(ENDPOINT_ROW, msgspec.structs.replace(record, known_good=known))

    def storm(self, until: float) -> None:
        self._write(f"storm|{SERVICE.name}", Storm(service=SERVICE.name, until=moment(until)))

    def reach(self, *, endpoint: bool, scoring: bool) -> None:
        self._outside.endpoints.out = not endpoint
        self._outside.scoring.out = not scoring

    def fail(self, deployments: set[str]) -> None:
        self._outside.scoring.failing = set(deployments)

    # What happens to the incident.

    def open_incident(self, severity: int = 1, *, by_signal: bool = False) -> None:
        self._incidents += 1
        now = self._outside.now
        self._id = f"INC-{SHARD}-261123-{self._incidents:08X}"
        self._run(
            store_incident(
                self._services,
                id=self._id,
                state=State.OPENED,
                severity=Severity(f"SEV{severity}"),
                opened_at=now,
                changed_at=now,
                signals_only=by_signal,
            )
        )

    def diagnose(self, found: Diagnosed) -> None:
        diagnosis = diagnosis_of(self._id, found)

        def take(incident: Incident) -> Revision:
            step = record_diagnosis(incident, diagnosis, None, self._outside.now)
            return Revision(step=step, writes=[Put(row=f"diagnosis|{self._id}", value=diagnosis)])

        self._run(revise(self._services, self._id, take))

    def close_incident(self) -> None:
        def take(incident: Incident) -> Revision:
            return Revision(step=resolve(incident, who="ada", why="over", now=self._outside.now))

        self._run(revise(self._services, self._id, take))

    # What the product does.

    def judge(self, *, controls_readable: bool = True) -> Decision:
        """What would be decided now; nothing comes of it."""

        async def asked() -> Decision:
            if not controls_readable:
                self._outside.turns.once("state.scan", _out)
            service = self._services.catalog.services.get(SERVICE.name)
            return decide(await enforcing._gather(self._services, service, self.incident()))

        decision: Decision = self._run(asked())
        return decision

    def enforce(self, fate: Write = Write.ACCEPTED) -> None:
        """Decide, and act where the decision says so; the endpoint's first write ends like this."""
        self._outside.endpoints.fates.append(fate)
        self._run(enforcing.enforce(self._services, message("enforce", self._id)))
        self._outside.endpoints.fates.clear()

    def enforce_while(self, at_write: int, interference: Interference) -> bool:
        """The same, and before that write of the state something happens; whether it did."""
        happened = []

        async def interfere() -> None:
            happened.append(True)
            await interference()

        for _ in range(1, at_write):
            self._outside.turns.once("state.write", _nothing)
        self._outside.turns.once("state.write", interfere)
        self.enforce()
        self._outside.turns.forget()
        return bool(happened)

    def verify(self, *, helped: bool | None) -> None:
        """Check after an act; the rows since then are good, bad, or there are none yet."""
        self._outside.wait(SERVICE.policy.verify_after_s)
        since = self._outside.now - timedelta(seconds=SERVICE.policy.verify_after_s)
        rows = [] if helped is None else [bin_since(since, number, helped) for number in range(5)]
        self._services.logs.answer("onset", rows)
        due = f"{self._id}:{self.incident().checks + 1}"
        self._run(verify(self._services, message("verify", due)))

    # What is seen of it.

    def incident(self) -> Incident:
        return self._outside.state.peek(SHARD, incident_row(self._id), Incident)

    def record(self) -> EndpointRecord:
        if ENDPOINT_ROW in self._outside.state.rows(SHARD, ENDPOINT_ROW):
            return self._outside.state.peek(SHARD, ENDPOINT_ROW, EndpointRecord)
        return EndpointRecord(target=TARGET, service=SERVICE.name)

    def open_intents(self) -> list[str]:
        rows = self._outside.state.rows(SHARD, "intent|")
        found = [self._outside.state.peek(SHARD, row, Intent) for row in rows]
        return [intent.plan.id for intent in found if intent.ended_at is None]

    @property
    def traffic(self) -> dict[str, int]:
        return self._outside.endpoints.traffic

    @property
    def writes(self) -> list[dict[str, int]]:
        return self._outside.endpoints.writes

    def _service(self) -> Service:
        return self._outside.catalog.services.get(SERVICE.name, SERVICE)

    def _write(self, row: str, value: msgspec.Struct) -> None:
        self._run(self._services.state.write(SHARD, [Put(row=row, value=value)]))


async def _nothing() -> None:
    return None
