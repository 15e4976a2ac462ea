"""What was learnt becomes checks: nothing that could not be learnt ever passes."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from shared.domain.catalog import Catalog, CatalogMistake, Mode
from shared.domain.detection.rules import rules_of
from shared.domain.readiness.check import Area, Check, Verdict
from shared.domain.readiness.judging import judge_executor, judge_responder
from shared.domain.readiness.observed import Observed, Other, Rules, Sealing
from shared.domain.readiness.rights import READ_ACTIONS, WRITE_ACTION, Permission, Rights
from shared.domain.readiness.sight import Saw, Sight, judge_sight
from tests.fakes.scene import NOW, SERVICE, TARGET
from tests.fakes.services import catalog_of

ALL_RULES = frozenset(rule.name.lower() for rule in rules_of(SERVICE))
DOOR = "https://backstop.example/api/alerts"
MAY_ALL = Rights(permissions=(Permission(actions=(*READ_ACTIONS, WRITE_ACTION)),))
WHOLE = Observed(
    now=NOW,
    catalog=catalog_of(SERVICE),
    rights={TARGET: MAY_ALL},
    rules=Rules(found=ALL_RULES, posted_to=frozenset({DOOR})),
    doors=frozenset({DOOR}),
    awaited={TARGET: ""},
    pagers=frozenset({"duty", *(one.pager for one in SERVICE.contacts)}),
    has_fallback=True,
    door=401,
    sealing=Sealing(every_s=300.0, sealed_at=NOW),
)


def seen(**changes: Any) -> Observed:
    return msgspec.structs.replace(WHOLE, **changes)


def the(area: Area, observed: Observed) -> Check:
    """The worst check of an area."""
    found = [*judge_responder(observed), *judge_executor(observed)]
    order = [Verdict.FAILED, Verdict.UNKNOWN, Verdict.PASSED]
    return min((c for c in found if c.area is area), key=lambda c: order.index(c.verdict))


def test_a_whole_deployment_passes_and_says_nothing_to_do() -> None:
    every = [*judge_responder(WHOLE), *judge_executor(WHOLE)]
    assert {check.verdict for check in every} == {Verdict.PASSED}
    assert {check.remedy for check in every} == {""}


@pytest.mark.parametrize(
    ("area", "changes"),
    [
        (Area.WEBHOOK, {"door": None}),
        (Area.WEBHOOK, {"rules": None}),
        (Area.WEBHOOK, {"rules": Rules(found=ALL_RULES, everywhere=False)}),
        (Area.RULES, {"rules": None}),
        (Area.RULES, {"rules": Rules(found=frozenset(), everywhere=False)}),
        (Area.KNOWN_GOOD, {"awaited": None}),
        (Area.PAGING, {"pagers": None}),
        (Area.SEALS, {"sealing": None}),
        (Area.OTHER_APP, {"other": Other(app="executor", every_s=60.0)}),
    ],
)
def test_what_could_not_be_learnt_is_unknown(area: Area, changes: dict[str, Any]) -> None:
    found = the(area, seen(**changes))
    assert found.verdict is Verdict.UNKNOWN
    assert found.remedy


@pytest.mark.parametrize(
    ("area", "changes", "says"),
    [
        (Area.WEBHOOK, {"door": 200}, "without a token"),
        (Area.WEBHOOK, {"rules": Rules(found=ALL_RULES)}, "no action group"),
        (Area.RULES, {"rules": Rules(found=frozenset())}, "not there or off"),
        (Area.KNOWN_GOOD, {"awaited": {TARGET: "v2 waits."}}, "no version to go back to"),
        (Area.PAGING, {"pagers": frozenset({"duty"})}, "no routing key for"),
        (Area.PAGING, {"has_fallback": False}, "nobody is woken"),
        (Area.ENDPOINTS, {"rights": {TARGET: Rights()}}, "onlineEndpoints/write"),
        (
            Area.SEALS,
            {"sealing": Sealing(every_s=300.0, waiting_since=NOW - timedelta(minutes=26))},
            "two periods",
        ),
        (
            Area.OTHER_APP,
            {"other": Other(app="executor", every_s=60.0, looked_at=NOW - timedelta(days=1))},
            "the executor looked at itself last",
        ),
    ],
)
def test_what_is_wrong_fails_and_says_what_to_do(
    area: Area, changes: dict[str, Any], says: str
) -> None:
    found = the(area, seen(**changes))
    assert found.verdict is Verdict.FAILED
    assert says in found.sentence
    assert found.remedy


def test_a_key_that_is_missing_is_named_as_a_setting_and_as_a_secret() -> None:
    found = the(Area.PAGING, seen(pagers=frozenset({"duty"})))
    (pager, *_) = sorted({one.pager for one in SERVICE.contacts})
    assert f"pager-key-{pager}" in found.remedy
    assert f"BACKSTOP_PAGER_KEY_{pager.upper().replace('-', '_')}" in found.remedy
    assert "pager-fallback-url" in the(Area.PAGING, seen(has_fallback=False)).remedy


def test_a_quiet_ledger_needs_no_young_seal() -> None:
    old = Sealing(every_s=300.0, sealed_at=NOW - timedelta(days=9))
    assert the(Area.SEALS, seen(sealing=old)).verdict is Verdict.PASSED


HOUR = timedelta(hours=1)
LONG_AGO = Other(app="executor", every_s=60.0, looked_at=NOW - 9 * HOUR)


@pytest.mark.parametrize(
    ("since", "by_the_app", "verdict"),
    [
        (NOW, True, Verdict.UNKNOWN),
        (NOW - HOUR, True, Verdict.FAILED),
        (None, False, Verdict.FAILED),
    ],
)
def test_the_other_app_has_its_time_since_this_one_is_back(
    since: Any, by_the_app: bool, verdict: Verdict
) -> None:
    found = the(Area.OTHER_APP, seen(other=LONG_AGO, since=since, by_the_app=by_the_app))
    assert (found.verdict, bool(found.remedy)) == (verdict, True)


def test_a_seal_that_a_busy_machine_makes_late_is_no_trouble() -> None:
    quick = Sealing(every_s=2.0, waiting_since=NOW - timedelta(minutes=1))
    assert the(Area.SEALS, seen(sealing=quick)).verdict is Verdict.PASSED


def test_records_of_before_a_stop_have_their_time_to_be_sealed() -> None:
    waits = Sealing(every_s=300.0, waiting_since=NOW - HOUR)
    assert the(Area.SEALS, seen(sealing=waits, since=NOW)).verdict is Verdict.PASSED
    assert the(Area.SEALS, seen(sealing=waits, since=NOW - HOUR)).verdict is Verdict.FAILED


def test_a_mode_that_moves_nothing_needs_no_right_to() -> None:
    watched = catalog_of(msgspec.structs.replace(SERVICE, mode=Mode.OBSERVE))
    reads = Rights(permissions=(Permission(actions=READ_ACTIONS),))
    observed = seen(catalog=watched, rights={TARGET: reads})
    assert the(Area.ENDPOINTS, observed).verdict is Verdict.PASSED


def test_a_service_that_is_only_watched_needs_a_known_good_too() -> None:
    """Without one nobody can tell what Backstop would have done."""
    watched = catalog_of(msgspec.structs.replace(SERVICE, mode=Mode.OBSERVE))
    assert the(Area.KNOWN_GOOD, seen(catalog=watched)).verdict is Verdict.PASSED
    lacking = the(
        Area.KNOWN_GOOD, seen(catalog=watched, awaited={TARGET: "v2 has served 3 h of 24 h."})
    )
    assert lacking.verdict is Verdict.FAILED
    assert "what would be done cannot be told" in lacking.sentence
    assert lacking.remedy == "let a version serve well for its soak. v2 has served 3 h of 24 h."
    assert the(Area.KNOWN_GOOD, seen(catalog=watched, awaited={})).verdict is Verdict.FAILED


def test_a_right_too_many_is_said() -> None:
    watched = catalog_of(msgspec.structs.replace(SERVICE, mode=Mode.OBSERVE))
    assert "take it away" in the(Area.ENDPOINTS, seen(catalog=watched)).sentence


def test_a_mistake_in_a_file_fails_with_its_line() -> None:
    wrong = CatalogMistake(file="a.yaml", line=3, field="mode", problem="is no mode")
    found = the(Area.CATALOG, seen(catalog=Catalog(mistakes=(wrong,))))
    assert (found.verdict, found.name) == (Verdict.FAILED, "a.yaml:3")


@pytest.mark.parametrize(
    ("saw", "by_the_app", "verdict"),
    [
        (Saw.THERE, True, Verdict.PASSED),
        (Saw.REFUSED, True, Verdict.FAILED),
        (Saw.REFUSED, False, Verdict.UNKNOWN),
        (Saw.MISSING, False, Verdict.FAILED),
        (Saw.UNSET, True, Verdict.FAILED),
        (Saw.SILENT, True, Verdict.UNKNOWN),
    ],
)
@pytest.mark.parametrize("area", [Area.TABLES, Area.BUS, Area.WEBHOOK])
def test_what_a_knock_proves(area: Area, saw: Saw, by_the_app: bool, verdict: Verdict) -> None:
    found = judge_sight(Sight(area=area, name="it", saw=saw, detail="why"), by_the_app=by_the_app)
    assert found.verdict is verdict
    assert bool(found.remedy) is (verdict is not Verdict.PASSED)


@pytest.mark.parametrize("area", [Area.TABLES, Area.CONTAINERS])
def test_reading_and_writing_are_two_checks_with_a_role_each(area: Area) -> None:
    read, written = (
        judge_sight(Sight(area=area, name="it", saw=Saw.REFUSED, detail="why", writing=writing))
        for writing in (False, True)
    )
    assert read.key != written.key
    assert read.remedy != written.remedy
    assert (read.sentence, written.sentence) == (
        "it refuses this identity: why",
        "it refuses writes of this identity: why",
    )


def test_a_right_to_write_that_is_there_is_not_said_to_be_used() -> None:
    sight = Sight(area=Area.TABLES, name="it", saw=Saw.THERE, writing=True)
    assert judge_sight(sight).sentence == "it may be written; nothing was"


@pytest.mark.parametrize(
    ("permissions", "lacking"),
    [
        ((Permission(actions=("*",)),), 0),
        ((Permission(actions=("*/READ",)),), 2),
        ((Permission(actions=("Microsoft.MachineLearningServices/workspaces/read",)),), 4),
        ((Permission(actions=("*",), not_actions=("*/write",)),), 1),
        ((Permission(actions=("*",), not_actions=("*/write",)), Permission(actions=("*",))), 0),
        ((), 5),
    ],
)
def test_rights_are_patterns_less_exceptions(
    permissions: tuple[Permission, ...], lacking: int
) -> None:
    rights = Rights(permissions=permissions)
    assert len(rights.missing((*READ_ACTIONS, WRITE_ACTION))) == lacking
