"""The known good: earned by served traffic, lost with its deployment, compared with what is now."""

import pytest

from shared.domain.decisions.intent import EndpointRecord
from shared.domain.decisions.known_good import Waiting, earn, lost, moved
from shared.domain.decisions.release import KnownGood, Release
from tests.shared.domain.decisions.test_soak import SERVED, SOAK, with_v1
from tests.shared.domain.decisions.worked_case import (
    GOOD_RELEASE,
    KNOWN_GOOD,
    LIVE,
    NOW,
    RECORD,
    ago,
    alter,
)

SAME_INDEX = alter(LIVE, index_version=KNOWN_GOOD.index_version)


class TestEarn:
    def test_it_keeps_what_it_was_earned_with(self) -> None:
        good = earn(SOAK)
        assert isinstance(good, KnownGood)
        assert (good.deployment, good.version, good.earned_at) == ("v1", "1.4.0", NOW)
        assert (good.soaked_s, good.requests, good.instances) == (86_400, 500, 2)
        assert (good.prompt_revision, good.index_version, good.flags_version) == ("p7", "i3", "f1")
        assert "objective-held-availability: 99.000%" in good.evidence

    def test_what_is_missing_is_said_with_every_rule(self) -> None:
        waiting = earn(alter(SOAK, serving_since=ago(60)))
        assert isinstance(waiting, Waiting)
        assert waiting.reason == "soaked: 60 s, 86400 s required"
        assert len([rule for rule in waiting.rules if rule.passed]) == len(waiting.rules) - 1

    def test_what_was_served_before_it_was_registered_does_not_count(self) -> None:
        waiting = earn(alter(SOAK, release=alter(GOOD_RELEASE, registered_at=ago(600))))
        assert isinstance(waiting, Waiting)
        assert waiting.reason == "soaked: 600 s, 86400 s required"

    def test_a_version_that_nobody_registered_has_no_lineage(self) -> None:
        good = earn(alter(SOAK, release=None))
        assert isinstance(good, KnownGood)
        assert (good.version, good.index_version) == ("", "")


class TestLost:
    def test_it_is_kept_as_long_as_it_stays_deployed(self) -> None:
        assert lost(RECORD, SERVED) is None

    def test_without_traffic_it_is_kept_too(self) -> None:
        assert lost(RECORD, alter(SERVED, traffic={"v2": 100})) is None

    def test_without_a_known_good_nothing_is_lost(self) -> None:
        assert lost(EndpointRecord(target="t", service="s"), SERVED) is None

    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"state": "Failed"}, "deployment v1 is Failed"),
            ({"instances": 0}, "deployment v1 is scaled to zero"),
            ({"name": "v3"}, "deployment v1 does not exist"),
        ],
    )
    def test_it_says_how_it_was_lost(self, changes: dict[str, object], says: str) -> None:
        assert lost(RECORD, with_v1(**changes)) == says

    def test_a_change_under_way_is_waited_for(self) -> None:
        assert lost(RECORD, with_v1(state="Updating")) is None


class TestMoved:
    def test_the_same_release_has_not_moved(self) -> None:
        assert moved(KNOWN_GOOD, GOOD_RELEASE, live=SAME_INDEX) == ()

    @pytest.mark.parametrize(
        ("now", "names"),
        [
            (None, ("release-unknown",)),
            (alter(GOOD_RELEASE, version="2"), ("version-moved",)),
            (alter(GOOD_RELEASE, prompt_revision="2"), ("prompt-moved",)),
            (alter(GOOD_RELEASE, index_version="2"), ("index-moved",)),
            (alter(GOOD_RELEASE, flags_version="2"), ("flags-moved",)),
            (
                alter(GOOD_RELEASE, index_version="", flags_version="2"),
                ("index-moved", "flags-moved"),
            ),
        ],
    )
    def test_it_names_what_moved(self, now: Release | None, names: tuple[str, ...]) -> None:
        assert moved(KNOWN_GOOD, now) == names

    def test_index_and_flags_of_the_live_release_are_shared_by_all(self) -> None:
        live = alter(LIVE, index_version="i4", flags_version="f2")
        assert moved(KNOWN_GOOD, GOOD_RELEASE, live=live) == ("index-moved", "flags-moved")

    def test_another_prompt_in_the_live_release_is_no_move(self) -> None:
        live = alter(LIVE, prompt_revision="p9")
        assert moved(KNOWN_GOOD, GOOD_RELEASE, live=live) == ()

    def test_what_the_live_release_does_not_say_does_not_count(self) -> None:
        live = alter(LIVE, index_version="", flags_version="")
        assert moved(KNOWN_GOOD, GOOD_RELEASE, live=live) == ()
