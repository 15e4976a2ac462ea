"""Guards where alerts are taken: durable first, once, and never thrown away."""

from typing import Any

import msgspec

from responders.alert import triage as triaging
from shared.domain.alerts.alert import Alert
from shared.domain.incidents.incident import Step
from shared.domain.incidents.triage import triage as judge
from shared.errors import Unavailable
from shared.protocol import intake
from shared.protocol.alarm.keeper import take_in
from shared.services import Services
from tests.simulation.guards.guard import Patch, guard, nothing
from tests.simulation.guards.trials import again, scene, seeds
from tests.simulation.promises import Promise


@guard(Promise.DURABLE, trials=seeds(4, 54))
def no_durable_row_before_the_answer(patch: Patch) -> None:
    """202 is answered although the tables are out."""

    async def hopeful(services: Services, alert: Alert) -> tuple[str, bool]:
        try:
            return await take_in(services, alert)
        except Unavailable:
            return intake.delivery_id(alert, services.now()), True

    patch.setattr("responders.alert.ingest.take_in", hopeful)


@guard(Promise.DURABLE, Promise.COMES_TO_REST, trials=seeds())
def no_pending_deliveries(patch: Patch) -> None:
    """A delivery that triage never heard of is not looked for."""
    patch.setattr("tests.simulation.world.watch_deliveries", nothing)


@guard(Promise.ONE_INCIDENT, trials=again(1))
def no_delivery_dedup(patch: Patch) -> None:
    """An alert that comes again is taken again."""

    def forgetful(alert: Alert, **known: Any) -> Step:
        claim = known["claim"]
        known["claim"] = claim and msgspec.structs.replace(claim, deliveries=())
        return judge(alert, **known)

    patch.setattr(triaging, "judge", forgetful)
    patch.setattr(intake, "MUST_NOT_EXIST", None)
    patch.setattr("responders.alert.ingest.recall", lambda *_: "")
    patch.setattr(intake, "_keep", lambda *_: None)


@guard(Promise.ONE_INCIDENT, trials=seeds())
def no_claim_of_a_trouble(patch: Patch) -> None:
    """Every firing opens an incident of its own."""

    def forgetful(alert: Alert, **known: Any) -> Step:
        unique = msgspec.structs.replace(alert, delivery_key=str(id(known)))
        return judge(unique, **{**known, "claim": None, "open_incident": None})

    patch.setattr(triaging, "judge", forgetful)


@guard(Promise.ONE_INCIDENT, trials=scene("a bad release"))
def no_grouping(patch: Patch) -> None:
    """Alerts of two rules about one target have nothing to do with each other."""
    patch.setattr(triaging, "group_of", lambda *_: None)


@guard(Promise.COMES_TO_REST, trials=seeds())
def no_quarantine(patch: Patch) -> None:
    """What cannot be taken is thrown away."""
    patch.setattr("shared.protocol.quarantine.keep_body", nothing)


@guard(Promise.NO_SECRET, trials=scene("a bad release"))
def no_redaction(patch: Patch) -> None:
    """Nothing is looked for in what is stored and sent."""
    patch.setattr("shared.domain.redaction.redactor.DETECTORS", ())
