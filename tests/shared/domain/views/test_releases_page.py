"""The releases' page: what was declared, what serves, what is new, what nobody explains."""

from datetime import timedelta

from msgspec.structs import replace

from shared.domain.decisions.intent import EndpointRecord
from shared.domain.keys import digest
from shared.domain.lineage.difference import compare_releases
from shared.domain.lineage.sighting import Sighting
from shared.domain.lineage.unattributed import compare
from shared.domain.views.releases_page import ReleasesPage, Seen, present_releases
from tests.shared.domain.incidents.situations import SERVICE
from tests.shared.domain.lineage.looks import NOW, ONE, TWO, declared, looked, reports

SEEN = Seen(service=SERVICE, releases=((TWO, 0), (ONE, 100)), sightings=(), records=(), now=NOW)


def shown(**changes: object) -> ReleasesPage:
    return present_releases(replace(SEEN, **changes))


def edited() -> Sighting:
    look = looked(NOW, TWO, ONE, reported=(reports("v1", "p-1.0", digest("threshold 0.9")),))
    return compare(declared(), look)


def test_releases_say_who_serves_and_what_is_new() -> None:
    two, one = shown().releases

    assert (two.version, two.live, one.live) == ("2.0", "", "serves 100 %")
    assert [(fact.label, fact.value, fact.is_new) for fact in two.facts] == [
        ("Prompt", "p-2.0", True),
        ("Configuration", "c-2.0", True),
    ]
    assert not any(fact.is_new for fact in one.facts)
    assert one.id == digest("1.0")


def test_a_canary_plan_is_shown() -> None:
    planned = replace(ONE, canary=(5, 50))

    assert shown(releases=((planned, 5),)).releases[0].facts[-1].value == "5 %, 50 %"


def test_what_nobody_explains_is_first_and_readable() -> None:
    (line,) = shown(sightings=(edited(),)).unattributed

    assert line.sentence == (
        f"v1 serves configuration {digest('threshold 0.9')[:12]}, and release 1.0 declares c-1.0."
    )
    assert line.incident == ""


def test_two_releases_side_by_side() -> None:
    comparison = shown(difference=compare_releases(ONE, replace(TWO, deployment="v1"))).comparison

    assert comparison is not None
    assert (comparison.a, comparison.b, comparison.same) == ("1.0", "2.0", "deployment")
    assert comparison.rows[0] == ("Prompt", "p-1.0", "p-2.0")


def test_nothing_registered_is_an_empty_page() -> None:
    page = shown(releases=())

    assert (page.releases, page.comparison, page.unattributed) == ((), None, ())


def test_what_the_version_that_serves_still_lacks_is_said() -> None:
    waiting = EndpointRecord(
        target="t", service=SERVICE.name, serving="v2", serving_since=NOW - timedelta(hours=3)
    )
    page = present_releases(replace(SEEN, records=(waiting,)))
    assert page.awaited == ("v2 has served 3 h of 24 h.",)
