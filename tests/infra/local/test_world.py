"""The catalog of a local world: the shipped one at its pace, and a second service on request."""

import shutil
from pathlib import Path

from infra.local.foundry.seed import SECOND, SERVICE
from infra.local.played import CATALOG, pager_keys, playable, write_catalog
from infra.local.world import Pace
from shared.adapters.catalog import load_catalog
from shared.domain.catalog import Mode
from tests.shared.adapters.test_catalog import SOUND

POLICY = Pace(soak_s=7).policy


def test_only_the_played_service_has_another_pace(tmp_path: Path) -> None:
    write_catalog(tmp_path, POLICY)
    catalog = load_catalog(tmp_path)
    assert catalog.mistakes == ()
    assert SECOND not in catalog.services
    assert catalog.services[SERVICE].policy.soak_s == 7
    assert catalog.services["policy-search"].policy.soak_s == 86_400


def test_the_second_service_waits_for_people_at_the_same_pace(tmp_path: Path) -> None:
    write_catalog(tmp_path, POLICY, second=True)
    catalog = load_catalog(tmp_path)
    assert catalog.mistakes == ()
    second = catalog.services[SECOND]
    assert (second.mode, second.policy.soak_s, len(second.targets)) == (Mode.APPROVE, 7, 1)


def test_a_file_more_is_a_service_more_at_the_same_pace(tmp_path: Path) -> None:
    source, folder = tmp_path / "source", tmp_path / "catalog"
    shutil.copytree(CATALOG, source)
    (source / "quotes.yaml").write_text(SOUND)
    write_catalog(folder, POLICY, source=source)
    assert playable(folder) == (SERVICE, "quotes")
    assert load_catalog(folder).services["quotes"].policy.soak_s == 7
    assert set(pager_keys(folder)) >= {
        "BACKSTOP_PAGER_KEY_CLAIMS_AI",
        "BACKSTOP_PAGER_KEY_TRAVEL",
        "BACKSTOP_PAGER_KEY_TRAVEL_LEAD",
    }


def test_a_file_with_a_mistake_is_shown_as_it_is_and_one_that_is_gone_is_gone(
    tmp_path: Path,
) -> None:
    source, folder = tmp_path / "source", tmp_path / "catalog"
    shutil.copytree(CATALOG, source)
    (source / "quotes.yaml").write_text(SOUND.replace("tier: 2", "tier: high"))
    (source / "offers.yaml").write_text("not: [yaml")
    write_catalog(folder, POLICY, source=source)
    assert playable(folder) == (SERVICE,)
    assert {one.service for one in load_catalog(folder).mistakes} == {"quotes", "offers"}
    write_catalog(folder, POLICY)
    assert load_catalog(folder).mistakes == ()
