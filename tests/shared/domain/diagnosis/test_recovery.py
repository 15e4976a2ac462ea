"""Whether it helped: good is proven by traffic after the move, everything else has its own name."""

from datetime import datetime

import msgspec
import pytest

from shared.domain.diagnosis.diagnose import diagnose
from shared.domain.diagnosis.diagnosis import Diagnosis, Health
from shared.domain.diagnosis.recovery import Recovery, RecoveryVerdict, recovered
from shared.domain.diagnosis.telemetry import AnswerStatus, QueryAnswer
from tests.shared.domain.diagnosis.telemetry_story import (
    BLOCKED,
    OVERFLOWS,
    SERVICE,
    SLOW,
    START,
    V1_GOOD,
    Fate,
    Request,
    Split,
    Trouble,
    answers_of,
    fails,
    incident,
    no_trouble,
    now_of,
    seconds,
    serve,
)

MOVED_AT = 300.0
BROKEN_V2 = fails(OVERFLOWS, share=0.5, since=205, version="v2", region="swedencentral")


def until(end: float, trouble: Trouble = BROKEN_V2, after: Split | None = None) -> list[Request]:
    """v1, then v2, and from MOVED_AT on v1 again (or another split)."""
    splits: list[tuple[float, Split]] = [(0, {"v1": 1}), (180, {"v2": 1})]
    return serve([*splits, (MOVED_AT, after or {"v1": 1})], until=end, trouble=trouble)


def before(trouble: Trouble = BROKEN_V2) -> Diagnosis:
    requests = until(MOVED_AT - 1, trouble)
    return diagnose(
        incident=incident(),
        service=SERVICE,
        answers=answers_of(requests),
        changes=(),
        known_good=V1_GOOD,
        now=now_of(requests),
    )


def after(
    requests: list[Request], since: datetime | None = None, **replaced: QueryAnswer
) -> Recovery:
    moved = since or START + seconds(MOVED_AT)
    answers = answers_of([one for one in requests if one.at >= moved])
    return recovered(before(), {**answers, **replaced}, moved, SERVICE, now_of(requests))


def test_it_helped_when_the_slice_is_fine_since_the_move() -> None:
    found = after(until(360))

    assert found.verdict is RecoveryVerdict.GOOD
    assert found.total > 80
    assert found.share < 0.02
    assert found.burn is not None
    assert found.burn < SERVICE.policy.burn_rate
    assert found.sentence.startswith("It helped: ")
    assert "in swedencentral since 14:05:00, 5" in found.sentence


def after_nothing_was_breached(end: float, trouble: Trouble = no_trouble) -> Recovery:
    """A person has asked for the move; by accident one request had failed before."""
    accident = {"bad_requests": 1, "bad_share": 0.002}
    was = msgspec.structs.replace(before(no_trouble), **accident)
    assert was.health is Health.HEALTHY
    requests = [one for one in until(end, trouble) if one.at >= START + seconds(MOVED_AT)]
    since = START + seconds(MOVED_AT)
    return recovered(was, answers_of(requests), since, SERVICE, now_of(requests))


def test_where_nothing_was_breached_it_is_enough_that_all_is_well() -> None:
    found = after_nothing_was_breached(360)

    assert found.verdict is RecoveryVerdict.GOOD
    assert found.sentence.startswith("All is well: 0 % bad of ")


def test_where_nothing_was_breached_too_little_traffic_says_nothing() -> None:
    assert after_nothing_was_breached(301).verdict is RecoveryVerdict.TOO_EARLY


def test_where_nothing_was_breached_it_may_still_have_broken_something() -> None:
    broken = fails(OVERFLOWS, share=0.5, since=MOVED_AT, region="westeurope")

    assert after_nothing_was_breached(360, broken).verdict is RecoveryVerdict.BAD


def test_only_the_slice_counts_not_the_total() -> None:
    everywhere = len([one for one in until(360) if one.at >= START + seconds(MOVED_AT)])

    assert after(until(360)).total < everywhere / 2


def test_what_was_served_before_the_move_does_not_count() -> None:
    requests = until(360)

    whole_story = recovered(
        before(), answers_of(requests), START + seconds(MOVED_AT), SERVICE, now_of(requests)
    )

    assert whole_story.verdict is RecoveryVerdict.GOOD


def test_a_bin_that_the_move_cuts_in_two_does_not_count() -> None:
    requests = until(360)
    moved = START + seconds(MOVED_AT + 1)

    found = recovered(before(), answers_of(requests), moved, SERVICE, now_of(requests))

    assert found.total == after([one for one in requests if one.at >= START + seconds(310)]).total


def test_the_same_slice_failing_under_the_good_version_did_not_help() -> None:
    region_out = fails(OVERFLOWS, share=0.5, since=205, region="swedencentral")

    found = after(until(360, region_out))

    assert found.verdict is RecoveryVerdict.BAD
    assert found.share == pytest.approx(0.5, abs=0.15)
    assert found.sentence.startswith("It did not help: availability of v1 is still breached in swe")


def test_a_new_breach_elsewhere_did_not_help_either() -> None:
    overloaded = fails(OVERFLOWS, share=0.4, since=MOVED_AT, region="westeurope")

    found = after(until(360, overloaded))

    assert found.verdict is RecoveryVerdict.BAD
    assert "westeurope" in found.sentence


def test_a_move_that_was_not_applied_did_not_help() -> None:
    assert after(until(360, after={"v2": 1})).verdict is RecoveryVerdict.BAD


def test_a_few_good_requests_are_too_early() -> None:
    found = after(until(304))

    assert found.verdict is RecoveryVerdict.TOO_EARLY
    assert found.sentence.startswith("Too early to tell: ")


def test_a_mild_breach_needs_more_good_requests_than_a_harsh_one() -> None:
    mild = fails(OVERFLOWS, share=0.15, since=205, version="v2", region="swedencentral")
    moved = START + seconds(MOVED_AT)

    def judged(trouble: Trouble, end: float) -> RecoveryVerdict:
        requests = [one for one in until(end, trouble) if one.at >= moved]
        return recovered(
            before(trouble), answers_of(requests), moved, SERVICE, now_of(requests)
        ).verdict

    assert judged(BROKEN_V2, 315) is RecoveryVerdict.GOOD
    assert judged(mild, 315) is RecoveryVerdict.TOO_EARLY
    assert judged(mild, 420) is RecoveryVerdict.GOOD


def test_no_requests_at_all_are_too_early_and_no_success() -> None:
    silent = QueryAnswer(name="onset", status=AnswerStatus.EMPTY)

    found = after(until(360), onset=silent)

    assert (found.verdict, found.total, found.burn) == (RecoveryVerdict.TOO_EARLY, 0, None)


@pytest.mark.parametrize(
    "status", [AnswerStatus.PARTIAL, AnswerStatus.TIMED_OUT, AnswerStatus.UNAVAILABLE]
)
def test_an_unanswered_query_is_unknown_and_no_success(status: AnswerStatus) -> None:
    found = after(until(360), onset=QueryAnswer(name="onset", status=status))

    assert found.verdict is RecoveryVerdict.UNKNOWN
    assert found.sentence.startswith("Cannot tell whether it helped: onset ")


@pytest.mark.parametrize(
    ("fate", "breach"), [(SLOW, "latency"), (BLOCKED, "content-safety")], ids=["slow", "blocked"]
)
def test_other_breaches_are_judged_by_their_own_yardstick(fate: Fate, breach: str) -> None:
    by_v2 = fails(fate, share=0.95, since=190, version="v2")
    by_all = fails(fate, share=0.95, since=190)
    was = before(by_v2)
    moved = START + seconds(MOVED_AT)

    def judged(trouble: Trouble) -> RecoveryVerdict:
        requests = [one for one in until(400, trouble) if one.at >= moved]
        return recovered(was, answers_of(requests), moved, SERVICE, now_of(requests)).verdict

    assert was.breach == breach
    assert judged(by_v2) is RecoveryVerdict.GOOD
    assert judged(by_all) is RecoveryVerdict.BAD


def test_a_breach_of_a_part_needs_the_parts_query() -> None:
    was = before(fails(BLOCKED, share=0.5, since=190, version="v2"))
    requests = until(400)
    moved = START + seconds(MOVED_AT)
    only_onset = {"onset": answers_of(requests)["onset"]}

    found = recovered(was, only_onset, moved, SERVICE, now_of(requests))

    assert found.verdict is RecoveryVerdict.UNKNOWN
    assert "content_safety was not asked" in found.sentence
