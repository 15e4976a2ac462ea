"""Guards where people are told and the ledger is written."""

from typing import Any

from responders.people import page as paging
from shared.domain.incidents.escalation import next_page
from shared.domain.row import Put
from shared.protocol import effect
from shared.protocol.evidence import ledger as recording
from shared.protocol.intake import relay_deliveries
from shared.protocol.leftovers import Effect
from shared.services import Services
from tests.simulation.guards.guard import Patch, guard
from tests.simulation.guards.trials import again, dying, out, scene
from tests.simulation.promises import Promise


@guard(Promise.LEDGER, trials=again(1))
def no_uniqueness_in_the_ledger(patch: Patch) -> None:
    """Every copy of an event is appended."""

    async def never(*_: object) -> None:
        return None

    rows = recording._row

    def unnamed(row: object) -> tuple[Put, ...]:
        return tuple(put for put in rows(row) if put.row.startswith("seq|"))  # type: ignore[arg-type]

    patch.setattr(recording, "find_recorded", never)
    patch.setattr(recording, "_row", unnamed)


@guard(Promise.TOLD_ONCE, trials=again(1))
def no_claim_of_an_effect(patch: Patch) -> None:
    """A card or a page is sent by whoever comes to it."""
    take = effect._take

    async def regardless(services: Services, shard: str, row: str) -> Effect | None:
        taken = await take(services, shard, row)
        if taken is not None:
            return taken
        found = await services.state.read(shard, row.removeprefix("~"), Effect)
        return found.value if found else None

    patch.setattr(effect, "_take", regardless)


@guard(Promise.A_HUMAN_KNOWS, trials=out("bus", 120.0))
def no_alarm(patch: Patch) -> None:
    """Nobody is paged for an alert before triage has taken it."""
    patch.setattr("shared.protocol.alarm.direct_page.next_direct_page", lambda *_: None)


@guard(Promise.A_HUMAN_KNOWS, trials=dying("bus"))
def no_second_alarm(patch: Patch) -> None:
    """What a dead process knew of an alert, no other one finds out."""
    patch.setattr("tests.simulation.world.watch_deliveries", relay_deliveries)


@guard(Promise.A_HUMAN_KNOWS, trials=scene("nobody answers a page"))
def no_next_contact(patch: Patch) -> None:
    """Who does not answer is not followed by anybody."""

    def only_first(incident: Any, *known: Any) -> object:
        return None if incident.pages else next_page(incident, *known)

    patch.setattr(paging, "next_page", only_first)
