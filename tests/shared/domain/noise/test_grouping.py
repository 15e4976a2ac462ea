"""Grouping: what an alert is about, and what the group of that target remembers."""

from datetime import timedelta

import msgspec
import pytest

from shared.domain.catalog import Catalog, Service, Target, TargetKind
from shared.domain.noise.grouping import KEPT, Group, find_service, group_of, owners_of, target_of
from tests.shared.domain.incidents.incidents import ENDPOINT, NOW, SERVICE, at, fired, opened

SECOND = f"{ENDPOINT}-eu"
WORKSPACE = "/subscriptions/s/workspaces/log-claims"
TWO = msgspec.structs.replace(
    SERVICE, targets=(*SERVICE.targets, Target(kind=TargetKind.ONLINE_ENDPOINT, id=SECOND))
)
HOUR = timedelta(hours=1)
FIRED = fired(1)


@pytest.mark.parametrize(
    ("named", "target"),
    [
        ((ENDPOINT,), ENDPOINT),
        ((SECOND,), SECOND),
        ((f"{SECOND}/deployments/v2",), SECOND),
        ((WORKSPACE,), ENDPOINT),
        ((WORKSPACE, SECOND), SECOND),
    ],
)
def test_an_alert_is_about_the_target_that_it_names_or_names_a_part_of(
    named: tuple[str, ...], target: str
) -> None:
    alert = msgspec.structs.replace(fired(1), targets=named)
    assert target_of(alert, TWO) == target


def test_what_nobody_owns_is_grouped_by_what_the_alert_names() -> None:
    alert = msgspec.structs.replace(fired(1), targets=(WORKSPACE, SECOND))
    assert group_of(alert, None) == Group(service="", target=WORKSPACE)


def test_what_names_no_target_belongs_to_no_group() -> None:
    assert group_of(msgspec.structs.replace(fired(1), targets=()), None) is None


def test_two_rules_about_one_target_share_a_row_and_two_targets_do_not() -> None:
    one, other = group_of(fired(1, rule="5xx"), SERVICE), group_of(fired(2, rule="p95"), SERVICE)
    apart = group_of(msgspec.structs.replace(fired(1), targets=(SECOND,)), TWO)
    assert one is not None
    assert other is not None
    assert apart is not None
    assert one.row == other.row != apart.row
    assert one.row.startswith("group|fnol-summary|")


def test_a_group_names_the_incident_that_opened_last() -> None:
    group = Group(service="", target="x").opened(opened())
    assert group.incident == opened().id
    assert group.opened_since(at(-1)) == 1
    assert group.opened_since(at(0)) == 0


def test_a_group_keeps_only_so_many_openings() -> None:
    group = Group(service="", target="x")
    for _ in range(KEPT + 5):
        group = group.opened(opened())
    assert len(group.openings) == KEPT


def test_two_first_pages_are_all_that_a_window_has() -> None:
    group = Group(service="", target="x").woke(NOW)
    assert group.pages_again_at(HOUR) is None
    group = group.woke(NOW + timedelta(minutes=1))
    assert group.pages_again_at(HOUR) == NOW + HOUR
    group = group.woke(NOW + HOUR)
    assert group.pages_again_at(HOUR) == NOW + timedelta(minutes=1) + HOUR


# Whose alert it is.


def another(name: str, *, resources: tuple[str, ...] = ()) -> Service:
    target = Target(kind=TargetKind.AGENT, id=f"/subscriptions/s/agents/{name}")
    return msgspec.structs.replace(SERVICE, name=name, targets=(target,), resources=resources)


LOGS = msgspec.structs.replace(FIRED, targets=(WORKSPACE,))


def catalog_of(*services: Service) -> Catalog:
    return Catalog(services={service.name: service for service in services})


def test_what_several_own_is_nobody_s_guess_but_theirs_all_the_same() -> None:
    one, two = SERVICE, msgspec.structs.replace(SERVICE, name="two")
    assert owners_of(FIRED, catalog_of(one, two)) == [one, two]
    assert find_service(FIRED, catalog_of(one, two)) is None


def test_the_owner_of_the_target_is_the_service() -> None:
    assert find_service(FIRED, catalog_of(another("other"), SERVICE)) is SERVICE


def test_a_target_that_nobody_names_has_no_service() -> None:
    assert find_service(FIRED, catalog_of(another("other"))) is None


def test_the_hint_chooses_between_the_owners_of_a_shared_resource() -> None:
    one, two = another("one", resources=(WORKSPACE,)), another("two", resources=(WORKSPACE,))
    hinted = msgspec.structs.replace(LOGS, service_hint="two")
    assert find_service(hinted, catalog_of(one, two)) is two


def test_two_owners_and_no_hint_is_nobodys() -> None:
    one, two = another("one", resources=(WORKSPACE,)), another("two", resources=(WORKSPACE,))
    assert find_service(LOGS, catalog_of(one, two)) is None


def test_a_hint_at_a_service_that_does_not_own_the_target_is_ignored() -> None:
    hinted = msgspec.structs.replace(FIRED, service_hint="other")
    assert find_service(hinted, catalog_of(SERVICE, another("other"))) is SERVICE
