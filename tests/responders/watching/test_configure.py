"""Configure: a mode or a policy that a deployment changed is told once, from what to what."""

from typing import Any

from responders.evidence.record import record
from responders.watching.configure import AT_ONCE, configure
from shared.domain.catalog import Catalog, CatalogMistake, Mode, Service
from shared.domain.event import ChangeEvent
from shared.domain.ledger.completeness import complete
from shared.protocol.leftovers import Leftovers
from tests.fakes import FakeServices, catalog_of
from tests.fakes.scene import SERVICE, new_services, told
from tests.shared.domain.decisions.worked_case import alter

NOTHING = Leftovers(messages={}, effects=[], intents=[])


async def started(services: FakeServices, *now: Service, **settings: Any) -> list[ChangeEvent]:
    """A new process starts with these files and ticks twice; answers what it tells."""
    services.bus.published["changes"].clear()
    services.outside.catalog = catalog_of(*now)
    services.outside.wait(60)
    another = FakeServices(services.outside, alter(services.settings, **settings))
    for _ in range(2):
        await configure(another, NOTHING)
    return told(services)


async def test_what_is_configured_first_is_told_and_the_same_again_is_not() -> None:
    services = new_services()

    first = await started(services, SERVICE)

    assert [event.what for event in first] == [
        "backstop is configured",
        "fnol-summary is configured, in mode automatic",
    ]
    assert first[1].after["policy_hash"] == SERVICE.policy_hash
    assert await started(services, SERVICE) == []


async def test_a_mode_that_a_deployment_changed_is_told_from_what_to_what() -> None:
    services = new_services()
    await started(services, SERVICE)

    (event,) = await started(services, alter(SERVICE, mode=Mode.APPROVE))

    assert event.what == "the mode of fnol-summary becomes approve, and was automatic"
    assert (event.before["mode"], event.after["mode"]) == ("automatic", "approve")
    assert event.before["policy_hash"] != event.after["policy_hash"] == event.policy_hash


async def test_a_policy_names_what_changed_and_holds_all_its_rules() -> None:
    services = new_services()
    await started(services, SERVICE)
    policy = alter(SERVICE.policy, quorum=2)

    (event,) = await started(services, alter(SERVICE, policy=policy))

    assert event.what == "the configuration of fnol-summary changed: policy_hash, rules"
    assert (event.before["rules"]["quorum"], event.after["rules"]["quorum"]) == (1, 2)


async def test_how_long_records_are_kept_is_configuration_too() -> None:
    services = new_services()
    await started(services, SERVICE)

    (event,) = await started(services, SERVICE, retain_intake_days=400.0)

    assert event.service == "backstop"
    assert event.after["retention_days"]["intake"] == 400


async def test_a_file_that_is_gone_is_told_once() -> None:
    services = new_services()
    await started(services, SERVICE, alter(SERVICE, name="quotes"))

    (event,) = await started(services, SERVICE)

    assert event.what == "quotes is configured no more"
    assert await started(services, SERVICE) == []


async def test_a_file_that_broke_is_told_with_what_is_wrong() -> None:
    services = new_services()
    await started(services, SERVICE)
    mistake = CatalogMistake(file="f", line=1, field="m", problem="unknown", service=SERVICE.name)
    services.outside.catalog = Catalog(mistakes=(mistake,))
    services.bus.published["changes"].clear()

    await configure(services, NOTHING)

    (event,) = told(services)
    assert event.what == "the mode of fnol-summary becomes observe, and was automatic"
    assert event.after["broken"] == "unknown"


async def test_every_event_is_fit_for_the_ledger_however_many_there_are() -> None:
    services = new_services()
    many = [alter(SERVICE, name=f"service-{number}") for number in range(AT_ONCE * 2)]

    events = await started(services, *many)

    assert len({event.id for event in events}) == len(many) + 1
    assert [complete(event) for event in events] == [()] * len(events)
    await record(services, services.bus.published["changes"])
    parts = services.ledger.partitions()
    assert sum(len(services.ledger.rows(part, "seq|")) for part in parts) == len(events)


async def test_two_processes_that_start_at_once_tell_it_once() -> None:
    services = new_services()
    other = services.another("two")
    services.outside.turns.once("state.write", lambda: configure(other, NOTHING))

    await configure(services, NOTHING)
    await configure(services, NOTHING)

    assert len(told(services)) == 2


async def test_without_tables_the_next_tick_tells_it() -> None:
    services = new_services()
    services.outside.tables_out(out=True)
    await configure(services, NOTHING)
    assert told(services) == []
    services.outside.tables_out(out=False)

    await configure(services, NOTHING)

    assert len(told(services)) == 2


async def test_it_is_told_as_theirs_who_deployed_where_the_deployment_says_so() -> None:
    services = new_services()
    await started(services, SERVICE)
    who = "tenant/pipeline"

    (event,) = await started(services, alter(SERVICE, mode=Mode.APPROVE), deployed_by=who)

    assert (event.actor, event.role) == (who, "Deployer")
    assert complete(event) == ()
