"""Unattributed change: what no release and no intent explains stands, and is due after a grace."""

from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from shared.domain.lineage.explanation import GRACE, SHIPPING
from shared.domain.lineage.sighting import ChangeKind, Look, Reported, first_sighting
from shared.domain.lineage.unattributed import compare, due, told
from tests.shared.domain.lineage.looks import (
    LATER,
    MINUTE,
    NOW,
    ONE,
    PARTS,
    SNAPSHOT,
    TWO,
    changed,
    declared,
    deployment,
    looked,
    moved,
    release,
    reports,
    standing,
)

EDITED = {**PARTS, "variable THRESHOLD": "d2"}


def test_what_is_declared_stands_nowhere() -> None:
    assert standing(compare(declared(), looked(NOW, TWO, ONE))) == []


def test_a_threshold_that_was_reverted_is_found_by_the_digest_that_is_reported() -> None:
    old = release("0.9", "v1", registered_at=NOW - timedelta(days=30))
    look = looked(NOW, TWO, ONE, old, reported=(reports("v1", "p-1.0", "c-0.9"),))

    (found,) = compare(declared(), look).standing

    assert found.finding.kind is ChangeKind.CONFIGURATION
    assert (found.finding.declared, found.finding.served) == ("c-1.0", "c-0.9")
    assert found.finding.sentence == (
        "v1 serves configuration c-0.9, and release 1.0 declares c-1.0,"
        " which is that of release 0.9: it was put back."
    )
    assert (found.since, found.noticed_at) == (NOW - LATER, NOW)


def test_a_threshold_that_only_the_deployment_shows_is_found_by_its_definition() -> None:
    look = looked(NOW, TWO, ONE, snapshot=changed("v1", definition=EDITED))

    (found,) = compare(declared(), look).standing

    assert found.finding.kind is ChangeKind.DEFINITION
    assert found.finding.sentence == "v1 was changed after release 1.0: variable THRESHOLD."
    assert "d2" not in found.finding.served


@pytest.mark.parametrize("said_by", ["telemetry", "tag"])
def test_a_prompt_that_was_edited_in_place_is_found(said_by: str) -> None:
    reported = (reports("v1", "p-1.1"),) if said_by == "telemetry" else ()
    snapshot = changed("v1", prompt_version="p-1.1" if said_by == "tag" else "p-1.0")
    look = looked(NOW, TWO, ONE, snapshot=snapshot, reported=reported)

    (found,) = compare(declared(), look).standing

    assert found.finding.sentence == "v1 serves prompt p-1.1, and release 1.0 declares p-1.0."


def test_a_configuration_that_only_a_tag_tells_of_is_compared() -> None:
    tagged = changed("v1", configuration_digest="c-0.9")

    found = compare(declared(), looked(NOW, TWO, ONE, snapshot=tagged, reported=()))

    assert standing(found) == ["configuration-changed"]


def test_one_instance_that_serves_another_prompt_is_enough() -> None:
    both = (reports("v1", "p-1.0"), reports("v1", "p-1.1", last_seen=NOW - MINUTE))

    assert standing(compare(declared(), looked(NOW, TWO, ONE, reported=both))) == ["prompt-edited"]


def test_traffic_that_was_moved_out_of_band_is_found() -> None:
    (found,) = compare(declared(), looked(NOW, TWO, ONE, snapshot=moved(v1=40, v2=60))).standing

    assert found.finding.kind is ChangeKind.TRAFFIC
    assert (found.finding.declared, found.finding.served) == ("v1 100 %", "v1 40 %, v2 60 %")


def test_a_live_version_that_no_release_names_is_found() -> None:
    snapshot = replace(moved(v1=90, v3=10), deployments=(*SNAPSHOT.deployments, deployment("v3")))
    sighting = compare(declared(), looked(NOW, TWO, ONE, snapshot=snapshot))

    assert standing(sighting) == ["traffic-moved", "unreleased-version"]
    assert sighting.standing[1].finding.deployment == "v3"


def test_nothing_is_found_of_a_service_that_declares_nothing() -> None:
    look = looked(NOW, snapshot=moved(v2=100))

    assert standing(compare(declared(), look)) == []


def test_the_first_look_takes_what_is_there() -> None:
    look = looked(NOW, TWO, ONE, snapshot=moved(v1=50, v2=50), reported=())

    assert standing(compare(first_sighting(look), look)) == []


class TestGrounds:
    """What explains a change, so that nobody is woken for it."""

    @pytest.mark.parametrize("late", [-GRACE, timedelta(0), LATER])
    def test_a_release_about_the_time_of_the_change_explains_it(self, late: timedelta) -> None:
        new = release("2.1", "v2", registered_at=NOW - LATER + late)

        look = looked(NOW, new, TWO, ONE, snapshot=moved(v2=100), reported=())

        assert standing(compare(declared(), look)) == []

    def test_a_release_of_long_before_does_not(self) -> None:
        new = release("2.1", "v2", registered_at=NOW - LATER - SHIPPING - MINUTE)
        look = looked(NOW, new, TWO, ONE, snapshot=moved(v2=100), reported=())

        assert standing(compare(declared(new, TWO, ONE), look)) == ["traffic-moved"]

    def test_a_release_explains_what_its_deployment_takes_from_others(self) -> None:
        new = release("2.1", "v2", registered_at=NOW)
        look = looked(NOW, new, TWO, ONE, snapshot=moved(v1=50, v2=50), reported=())

        assert standing(compare(declared(), look)) == []

    def test_it_does_not_explain_what_a_third_takes(self) -> None:
        new = release("2.1", "v2", registered_at=NOW)
        snapshot = replace(
            moved(v1=50, v2=25, v3=25), deployments=(*SNAPSHOT.deployments, deployment("v3"))
        )
        look = looked(NOW, new, TWO, ONE, snapshot=snapshot, reported=())

        assert standing(compare(declared(), look)) == ["traffic-moved", "unreleased-version"]

    def test_a_release_explains_no_second_change_of_later(self) -> None:
        new = release("1.1", "v1", registered_at=NOW)
        first = looked(NOW, new, TWO, ONE, snapshot=changed("v1", definition=EDITED), reported=())
        arrived = compare(declared(), first)
        again = changed("v1", definition={**EDITED, "model": "fnol:8"})
        later = looked(NOW + 60 * MINUTE, new, TWO, ONE, snapshot=again, reported=())
        calm = replace(first, now=NOW + 55 * MINUTE)

        assert standing(arrived) == []
        assert standing(compare(compare(arrived, calm), later)) == ["definition-changed"]

    def test_a_release_explains_an_update_however_long_that_takes(self) -> None:
        new = release("1.1", "v1", registered_at=NOW)
        seen = declared()
        for minutes in (5, 25, 45):
            busy = changed("v1", state="Updating")
            at = NOW + minutes * MINUTE
            seen = compare(seen, looked(at, new, TWO, ONE, snapshot=busy, reported=()))
        done = changed("v1", definition=EDITED)

        look = looked(NOW + 50 * MINUTE, new, TWO, ONE, snapshot=done, reported=())

        assert standing(compare(seen, look)) == []

    def test_a_release_explains_the_first_traffic_of_its_deployment_however_long_that_took(
        self,
    ) -> None:
        new = release("2.1", "v2", registered_at=NOW - LATER - 100 * MINUTE)
        look = looked(NOW, new, TWO, ONE, snapshot=moved(v2=100), reported=())
        before = declared(new, TWO, ONE)
        long_ago = replace(before, served={"v2": new.registered_at - MINUTE})
        already = replace(before, served={"v2": new.registered_at + MINUTE})

        assert standing(compare(before, look)) == []
        assert standing(compare(long_ago, look)) == []
        assert standing(compare(already, look)) == ["traffic-moved"]

    def test_what_served_is_remembered_once_it_serves_no_more(self) -> None:
        both = compare(declared(), looked(NOW, TWO, ONE, snapshot=moved(v1=50, v2=50)))
        one = compare(both, looked(NOW + LATER, TWO, ONE))

        assert one.served == {"v1": NOW + LATER, "v2": NOW}

    def test_a_release_of_another_deployment_does_not(self) -> None:
        new = release("1.1", "v1", registered_at=NOW)
        look = looked(NOW, new, TWO, ONE, snapshot=moved(v2=100), reported=())

        assert standing(compare(declared(), look)) == ["traffic-moved"]

    def test_a_release_that_is_registered_afterwards_ends_what_stands(self) -> None:
        move = looked(NOW, TWO, ONE, snapshot=moved(v2=100), reported=())
        stands = compare(declared(), move)
        new = release("2.1", "v2", registered_at=NOW + 60 * MINUTE)
        later = replace(move, now=NOW + 61 * MINUTE, recent=(new,), newest={"v1": ONE, "v2": new})

        ended = compare(stands, later)

        assert standing(ended) == []
        assert ended.declared == {"v2": 100}

    def test_what_is_undone_stands_no_more(self) -> None:
        stands = compare(declared(), looked(NOW, TWO, ONE, snapshot=moved(v2=100), reported=()))

        assert standing(compare(stands, looked(NOW + LATER, TWO, ONE))) == []

    def test_the_split_that_an_intent_wrote_is_explained(self) -> None:
        look = looked(NOW, TWO, ONE, snapshot=moved(v1=0, v2=100), reported=())
        ours = replace(look, ours=((NOW - MINUTE, {"v1": 0, "v2": 100}),))

        assert standing(compare(declared(), ours)) == []

    @pytest.mark.parametrize(
        ("at", "split"), [(NOW - timedelta(hours=3), {"v2": 100}), (NOW, {"v1": 50, "v2": 50})]
    )
    def test_an_intent_of_another_time_or_split_explains_nothing(
        self, at: datetime, split: dict[str, int]
    ) -> None:
        look = looked(NOW, TWO, ONE, snapshot=moved(v2=100), reported=())

        assert standing(compare(declared(), replace(look, ours=((at, split),)))) == [
            "traffic-moved"
        ]

    @pytest.mark.parametrize("canary", [(), (10,)], ids=["at once", "by its plan"])
    def test_a_release_that_was_rolled_back_does_not_explain_its_return(
        self, canary: tuple[int, ...]
    ) -> None:
        new = release("2.1", "v2", canary=canary, registered_at=NOW - 3 * MINUTE)
        look = looked(NOW, new, TWO, ONE, snapshot=moved(v2=100), reported=())
        back = ((NOW - MINUTE, {"v1": 100, "v2": 0}),)

        assert standing(compare(declared(), look)) == []
        assert standing(compare(declared(), replace(look, ours=back))) == ["traffic-moved"]

    def test_an_idle_deployment_may_be_prepared_and_is_declared_by_its_release(self) -> None:
        prepared = changed("v2", definition=EDITED)
        idle = compare(declared(), looked(NOW, TWO, ONE, snapshot=prepared))
        new = release("2.1", "v2", registered_at=NOW + 60 * MINUTE)
        split = replace(prepared, traffic={"v2": 100})

        look = looked(NOW + 62 * MINUTE, new, TWO, ONE, snapshot=split, reported=())

        assert standing(idle) == []
        assert standing(compare(idle, look)) == []

    def test_an_idle_deployment_that_was_edited_is_found_when_it_goes_live(self) -> None:
        edited = changed("v2", definition=EDITED)
        idle = compare(declared(), looked(NOW, TWO, ONE, snapshot=edited))
        ours = ((NOW + LATER, {"v2": 100}),)
        split = replace(edited, traffic={"v2": 100})

        look = looked(NOW + LATER, TWO, ONE, snapshot=split, reported=(), ours=ours)

        assert standing(compare(idle, look)) == ["definition-changed"]

    def test_a_release_has_its_time_to_arrive_in_telemetry(self) -> None:
        new = release("1.1", "v1", registered_at=NOW - MINUTE)
        look = looked(NOW, new, TWO, ONE, reported=(reports("v1", "p-1.0", "c-1.0"),))

        assert standing(compare(declared(), look)) == []
        late = NOW - MINUTE + GRACE + MINUTE
        old = reports("v1", "p-1.0", "c-1.0", last_seen=late)
        slow = looked(late, new, TWO, ONE, reported=(old,))
        assert standing(compare(declared(), slow)) == ["prompt-edited", "configuration-changed"]

    def test_what_was_served_a_while_ago_is_not_served_any_more(self) -> None:
        old = reports("v1", "p-0.9", last_seen=NOW - 10 * MINUTE)
        look = looked(NOW, TWO, ONE, reported=(reports("v1", "p-1.0", "c-1.0"), old))

        assert standing(compare(declared(), look)) == []

    @pytest.mark.parametrize(
        "reported", [(), (reports("v1"),), (reports("v2", "other"),)], ids=["none", "mute", "idle"]
    )
    def test_what_is_not_reported_is_not_compared(self, reported: tuple[Reported, ...]) -> None:
        assert standing(compare(declared(), looked(NOW, TWO, ONE, reported=reported))) == []

    def test_what_is_not_declared_is_not_compared(self) -> None:
        silent = release("1.0", "v1", prompt_revision="", configuration_digest="")

        assert standing(compare(declared(TWO, silent), looked(NOW, TWO, silent))) == []

    def test_a_deployment_that_is_being_changed_is_compared_when_it_is_done(self) -> None:
        busy = changed("v1", state="Updating", definition=EDITED)

        assert standing(compare(declared(), looked(NOW, TWO, ONE, snapshot=busy))) == []


class TestCanary:
    """A declared plan explains its percentages whenever they come, and no others."""

    PLANNED = release("2.1", "v2", canary=(10, 50), registered_at=NOW - timedelta(hours=9))

    def split(self, **traffic: int) -> Look:
        return looked(NOW, self.PLANNED, ONE, snapshot=moved(**traffic), reported=())

    @pytest.mark.parametrize("share", [10, 50, 100])
    def test_its_steps_are_explained(self, share: int) -> None:
        look = self.split(v1=100 - share, v2=share)

        assert standing(compare(declared(self.PLANNED, ONE), look)) == []

    def test_another_share_is_not(self) -> None:
        look = self.split(v1=70, v2=30)

        assert standing(compare(declared(self.PLANNED, ONE), look)) == ["traffic-moved"]

    def test_a_third_deployment_is_not(self) -> None:
        look = self.split(v2=10, v3=90)

        assert "traffic-moved" in standing(compare(declared(self.PLANNED, ONE), look))

    def test_it_may_be_withdrawn_before_it_has_everything_and_not_after(self) -> None:
        started = replace(declared(self.PLANNED, ONE), declared={"v1": 90, "v2": 10})
        ended = replace(started, declared={"v2": 100})

        assert standing(compare(started, self.split(v1=100))) == []
        assert standing(compare(ended, self.split(v1=100))) == ["traffic-moved"]


class TestTelling:
    """A finding is told once, after the time in which a release may still come."""

    MOVE = looked(NOW, TWO, ONE, snapshot=moved(v2=100), reported=())

    def test_it_is_due_after_the_grace_and_not_before(self) -> None:
        stands = compare(declared(), self.MOVE)
        early = compare(stands, replace(self.MOVE, now=NOW + GRACE - MINUTE))
        late = compare(early, replace(self.MOVE, now=NOW + GRACE))

        assert (due(stands), due(early)) == ((), ())
        assert [one.noticed_at for one in due(late)] == [NOW]

    def test_what_was_told_is_not_due_again_as_long_as_it_stands(self) -> None:
        stands = compare(declared(), self.MOVE)
        said = told(compare(stands, replace(self.MOVE, now=NOW + GRACE)), "INC-1")
        again = compare(said, replace(self.MOVE, now=NOW + 9 * GRACE))

        assert due(again) == ()
        assert again.standing[0].incident == "INC-1"

    def test_the_same_change_made_again_later_is_another_one(self) -> None:
        said = told(
            compare(compare(declared(), self.MOVE), replace(self.MOVE, now=NOW + GRACE)), ""
        )
        undone = compare(said, looked(NOW + 2 * GRACE, TWO, ONE))
        again = compare(undone, replace(self.MOVE, now=NOW + 3 * GRACE))

        assert len(due(compare(again, replace(self.MOVE, now=NOW + 4 * GRACE)))) == 1

    def test_logs_that_do_not_answer_neither_find_nor_forget(self) -> None:
        edited = looked(NOW, TWO, ONE, reported=(reports("v1", "p-1.1"),))
        stands = compare(declared(), edited)
        silent = looked(NOW + LATER, TWO, ONE, reported=None)

        assert standing(compare(stands, silent)) == ["prompt-edited"]
        assert standing(compare(declared(), silent)) == []

    def test_logs_that_do_not_answer_keep_nothing_that_the_endpoint_shows(self) -> None:
        stands = compare(declared(), self.MOVE)

        assert standing(compare(stands, looked(NOW + LATER, TWO, ONE, reported=None))) == []

    def test_a_deployment_that_is_being_changed_keeps_what_stands(self) -> None:
        stands = compare(
            declared(), looked(NOW, TWO, ONE, snapshot=changed("v1", definition=EDITED))
        )
        busy = looked(NOW + LATER, TWO, ONE, snapshot=changed("v1", state="Updating"))

        assert standing(compare(stands, busy)) == ["definition-changed"]
        assert due(compare(stands, replace(busy, now=NOW + GRACE))) == ()
