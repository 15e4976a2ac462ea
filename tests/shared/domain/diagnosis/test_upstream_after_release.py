"""A target that refuses right after a release: the release is near, and not to blame.

The new version has all the traffic when the target that everybody calls begins to refuse, so there
is nobody to compare with, and the moment speaks against the version. Going back would cure nothing.
"""

from collections.abc import Callable, Iterable
from random import Random

import msgspec
import pytest

from shared.domain.diagnosis.diagnose import diagnose
from shared.domain.diagnosis.diagnosis import Attribution, Cause
from shared.domain.diagnosis.telemetry import AnswerStatus, QueryAnswer
from tests.shared.domain.diagnosis.telemetry_story import (
    GOOD,
    OVERFLOWS,
    SERVICE,
    THROTTLED,
    UNREACHABLE,
    V1_GOOD,
    Fate,
    Request,
    Split,
    Trouble,
    answer,
    answers_of,
    fails,
    incident,
    now_of,
    seconds,
    serve,
)

SHIPPED = 65.0  # in the middle of a bin: its first half is the predecessor's, and well
CUT_OVER: list[tuple[float, Split]] = [(0, {"v1": 1}), (SHIPPED, {"v2": 1})]
HALF: list[tuple[float, Split]] = [(0, {"v1": 1}), (SHIPPED, {"v1": 0.5, "v2": 0.5})]
SWEDEN = "swedencentral"
REFUSALS = pytest.mark.parametrize("fate", [THROTTLED, UNREACHABLE], ids=["429", "503"])

type Telling = Callable[[QueryAnswer], QueryAnswer]


def story(
    trouble: Trouble, splits: list[tuple[float, Split]] = CUT_OVER, *, until: float = 95
) -> list[Request]:
    return serve(splits, until=until, trouble=trouble, per_second=20)


def attributed(
    requests: list[Request], told: Telling = lambda known: known, *, width_s: float = 10
) -> Attribution:
    answers = answers_of(requests, width_s=width_s)
    answers["dependencies"] = told(answers["dependencies"])
    return diagnose(
        incident=incident(),
        service=SERVICE,
        answers=answers,
        changes=(),
        known_good=V1_GOOD,
        now=now_of(requests),
    ).attribution


def partly(known: QueryAnswer) -> QueryAnswer:
    return msgspec.structs.replace(known, status=AnswerStatus.PARTIAL, detail="one shard is out")


def not_at_all(_: QueryAnswer) -> QueryAnswer:
    return answer("dependencies", [])


def mostly_lost(known: QueryAnswer) -> QueryAnswer:
    """One call in twenty is told of."""
    return answer("dependencies", _thinned(known.rows, 20))


def late(known: QueryAnswer) -> QueryAnswer:
    """Nothing is told of the new version yet."""
    return answer("dependencies", [row for row in known.rows if row["Deployment"] == "v1"])


def _thinned(rows: Iterable[dict[str, object]], by: int) -> list[dict[str, object]]:
    thin = [
        {**row, "Total": int(str(row["Total"])) // by, "Failed": int(str(row["Failed"])) // by}
        for row in rows
    ]
    return [row for row in thin if row["Total"]]


@REFUSALS
@pytest.mark.parametrize("region", ["", SWEDEN], ids=["everywhere", "one region"])
@pytest.mark.parametrize("since", [66, 68, 75])
def test_a_target_that_refuses_seconds_after_the_release_is_blamed_itself(
    fate: Fate, region: str, since: float
) -> None:
    found = attributed(story(fails(fate, share=0.7, since=since, region=region)))

    assert found.cause in (Cause.UPSTREAM, Cause.REGION)
    assert (found.dependency.endswith(".openai")) is (found.cause is Cause.UPSTREAM)


@REFUSALS
@pytest.mark.parametrize("region", ["", SWEDEN], ids=["everywhere", "one region"])
@pytest.mark.parametrize("share", [0.3, 1])
@pytest.mark.parametrize("since", [65, 69])
def test_however_early_it_is_looked_at_the_version_is_not_blamed(
    fate: Fate, region: str, share: float, since: float
) -> None:
    served = story(fails(fate, share=share, since=since, region=region), until=95)
    began = now_of(served[: int(since * 20) + 1])

    for width_s in (0.5, 10):
        for after_s in (1, 3, 7, 21):
            known = [one for one in served if one.at < began + seconds(after_s)]
            assert attributed(known, width_s=width_s).cause is not Cause.VERSION, (after_s, width_s)


@REFUSALS
@pytest.mark.parametrize(
    "told", [partly, not_at_all, mostly_lost, late], ids=lambda one: one.__name__
)
@pytest.mark.parametrize("since", [68, 75])
def test_calls_that_are_not_known_leave_a_doubt(fate: Fate, told: Telling, since: float) -> None:
    found = attributed(story(fails(fate, share=0.7, since=since)), told)

    assert found.cause is Cause.UNKNOWN
    assert found.reasons


@pytest.mark.parametrize(
    ("told", "doubt"),
    [
        (partly, "whether a target throttles is not known: dependencies came back in part only"),
        (not_at_all, "whether a target throttles is not known: dependencies found no rows"),
        (mostly_lost, "openai answers 429 to "),
        (late, "whether a target throttles is not known: only 0 calls of v2 are told of"),
    ],
    ids=["partly", "not at all", "mostly lost", "late"],
)
def test_the_doubt_says_what_is_not_known(told: Telling, doubt: str) -> None:
    found = attributed(story(fails(THROTTLED, share=0.7, since=68)), told)

    assert doubt in found.reasons[0]


def test_a_target_that_refuses_a_part_of_what_fails_leaves_a_doubt() -> None:
    def trouble(_: str, __: str, at: float, rng: Random) -> Fate:
        fates = (*[Fate(code="500")] * 3, THROTTLED, GOOD)
        return rng.choice(fates) if at >= 70 else GOOD

    found = attributed(story(trouble))

    assert found.cause is Cause.UNKNOWN
    assert "openai answers" in found.reasons[0]


@REFUSALS
def test_what_began_in_the_last_bin_leaves_a_doubt_though_the_predecessor_was_well_in_it(
    fate: Fate,
) -> None:
    found = attributed(story(fails(fate, share=1, since=66), until=70))

    assert found.cause is Cause.UNKNOWN


def test_a_version_that_is_throttled_beside_one_that_is_not_is_blamed() -> None:
    trouble = fails(THROTTLED, share=0.7, since=70, version="v2")

    found = attributed(story(trouble, HALF))

    assert (found.cause, found.version) == (Cause.VERSION, "v2")


@pytest.mark.parametrize("since", [66, 68, 75])
def test_a_version_that_fails_by_its_own_fault_right_after_its_release_is_blamed(
    since: float,
) -> None:
    found = attributed(story(fails(OVERFLOWS, share=0.7, since=since)))

    assert (found.cause, found.version) == (Cause.VERSION, "v2")


def test_a_few_refusals_beside_a_versions_own_fault_do_not_excuse_it() -> None:
    def trouble(_: str, __: str, at: float, rng: Random) -> Fate:
        own = rng.random() < 0.5
        return (THROTTLED if rng.random() < 0.05 else OVERFLOWS) if own and at >= 70 else GOOD

    found = attributed(story(trouble))

    assert (found.cause, found.version) == (Cause.VERSION, "v2")


def test_a_version_that_fails_before_it_calls_anybody_is_blamed() -> None:
    def crashed(known: QueryAnswer) -> QueryAnswer:
        return answer("dependencies", [row for row in known.rows if row["ResultCode"] == "200"])

    found = attributed(story(fails(Fate(code="500"), share=0.7, since=70)), crashed)

    assert (found.cause, found.version) == (Cause.VERSION, "v2")
