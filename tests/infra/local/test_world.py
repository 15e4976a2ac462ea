"""The catalog of a local world: the shipped one at its pace, and a second service on request."""

from pathlib import Path

from infra.local.foundry.seed import SECOND, SERVICE
from infra.local.world import Pace, write_catalog
from shared.adapters.catalog import load_catalog
from shared.domain.catalog import Mode

PACE = Pace(soak_s=7)


def test_only_the_played_service_has_another_pace(tmp_path: Path) -> None:
    write_catalog(tmp_path, PACE, spares=2)
    catalog = load_catalog(tmp_path)
    assert catalog.mistakes == ()
    assert SECOND not in catalog.services
    assert catalog.services[SERVICE].policy.soak_s == 7
    assert len(catalog.services[SERVICE].targets) == 3
    assert catalog.services["policy-search"].policy.soak_s == 86_400


def test_the_second_service_waits_for_people_and_has_no_spare_target(tmp_path: Path) -> None:
    write_catalog(tmp_path, PACE, spares=2, second=True)
    catalog = load_catalog(tmp_path)
    assert catalog.mistakes == ()
    second = catalog.services[SECOND]
    assert (second.mode, second.policy.soak_s, len(second.targets)) == (Mode.APPROVE, 7, 1)
