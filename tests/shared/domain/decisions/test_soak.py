"""The soak: each thing that a deployment must show is missing once, and is named."""

import pytest

from shared.domain.catalog import Mode
from shared.domain.decisions.endpoint import EndpointSnapshot
from shared.domain.decisions.soak import SliCount, Soak, counts_of, short_capacity, soak_rules
from shared.domain.slos.slo import Sli, Slo
from tests.shared.domain.decisions.worked_case import (
    GOOD_PROBE,
    GOOD_RELEASE,
    SERVICE,
    SNAPSHOT,
    ago,
    alter,
)

SERVED = alter(SNAPSHOT, traffic={"v1": 100, "v2": 0})
SOAK = Soak(
    service=SERVICE,
    deployment="v1",
    serving_since=ago(86_400),
    snapshot=SERVED,
    counts=(
        SliCount(sli="availability", total=500, bad=5),
        SliCount(sli="latency", total=500, bad=25),
    ),
    probe=GOOD_PROBE,
    release=GOOD_RELEASE,
    now=ago(0),
)


def with_v1(**changes: object) -> EndpointSnapshot:
    first, *others = SERVED.deployments
    return alter(SERVED, deployments=(alter(first, **changes), *others))


def counted(sli: str, total: int, bad: int) -> Soak:
    others = tuple(count for count in SOAK.counts if count.sli != sli)
    return alter(SOAK, counts=(*others, SliCount(sli=sli, total=total, bad=bad)))


MISSING = [
    ("objectives-set", alter(SOAK, service=alter(SERVICE, slos=()))),
    ("no-open-incident", alter(SOAK, open_incident="INC-07-261123-0A1B2C3D")),
    ("still-serving", alter(SOAK, snapshot=alter(SERVED, traffic={"v1": 0, "v2": 100}))),
    ("still-serving", alter(SOAK, snapshot=alter(SERVED, traffic={"v1": 50, "v2": 50}))),
    ("still-serving", alter(SOAK, snapshot=alter(SERVED, traffic={}))),
    ("soaked", alter(SOAK, serving_since=ago(86_399))),
    ("enough-requests-availability", counted("availability", 499, 0)),
    ("enough-requests-availability", alter(SOAK, counts=())),
    ("enough-requests-latency", counted("latency", 499, 0)),
    ("enough-requests-latency", alter(SOAK, counts=SOAK.counts[:1])),
    ("objective-held-availability", counted("availability", 500, 6)),
    ("objective-held-latency", counted("latency", 500, 26)),
    ("probes-passed", alter(SOAK, probe=None)),
    ("probes-passed", alter(SOAK, probe=alter(GOOD_PROBE, passed=18))),
    ("probes-passed", alter(SOAK, probe=alter(GOOD_PROBE, sent=0, passed=0))),
    ("probes-passed", alter(SOAK, probe=alter(GOOD_PROBE, deployment="v2"))),
    ("deployed-and-succeeded", alter(SOAK, snapshot=with_v1(state="Failed"))),
    ("deployed-and-succeeded", alter(SOAK, snapshot=with_v1(instances=0))),
    ("deployed-and-succeeded", alter(SOAK, snapshot=alter(SERVED, deployments=()))),
]


def failed(soak: Soak) -> list[str]:
    return [rule.rule for rule in soak_rules(soak) if not rule.passed]


def test_a_deployment_that_shows_everything_fails_no_rule() -> None:
    assert failed(SOAK) == []


@pytest.mark.parametrize(("rule", "soak"), MISSING)
def test_one_thing_missing_is_the_first_to_be_named(rule: str, soak: Soak) -> None:
    assert failed(soak)[0] == rule


def test_just_enough_probes_passed_and_one_instance_are_enough() -> None:
    single = alter(SERVED, deployments=(alter(SERVED.deployments[0], instances=1),))
    probe = alter(GOOD_PROBE, passed=19)
    assert failed(alter(SOAK, snapshot=single, probe=probe)) == []


def test_the_rules_say_what_they_saw() -> None:
    bad = alter(SOAK, open_incident="INC-1", snapshot=with_v1(state="Failed"))
    seen = {rule.rule: rule.observed for rule in (*soak_rules(SOAK), *soak_rules(bad))}
    assert seen["no-open-incident"] == "INC-1"
    assert seen["deployed-and-succeeded"] == "deployment v1 is Failed"
    good = {rule.rule: rule.observed for rule in soak_rules(SOAK)}
    assert (good["no-open-incident"], good["deployed-and-succeeded"]) == ("none", "Succeeded")
    assert good["capacity"] == "enough"


def test_it_needs_the_instances_for_the_load_that_others_carry() -> None:
    larger = alter(SERVED.deployments[1], instances=6)
    split = alter(SERVED, traffic={"v1": 90, "v2": 10}, deployments=(SERVED.deployments[0], larger))
    assert failed(alter(SOAK, snapshot=split)) == ["capacity"]


def test_every_rule_is_asked_however_many_fail() -> None:
    hopeless = alter(SOAK, counts=(), probe=None, snapshot=alter(SERVED, deployments=()))
    assert len(soak_rules(hopeless)) == len(soak_rules(SOAK))


def test_the_mode_of_the_service_does_not_matter() -> None:
    assert failed(alter(SOAK, service=alter(SERVICE, mode=Mode.OBSERVE))) == []


def test_rows_of_other_deployments_do_not_count() -> None:
    rows = [
        {"Deployment": "V1", "Sli": "availability", "Total": 10, "Bad": 1},
        {"Deployment": "v2", "Sli": "availability", "Total": 90, "Bad": 9},
    ]
    assert counts_of(rows, "v1") == (SliCount(sli="availability", total=10, bad=1),)


@pytest.mark.parametrize(
    ("name", "wanted", "says"),
    [
        ("v1", 0, ""),
        ("v1", 2, ""),
        ("v1", 3, "v1 has 2 of 3 instances"),
        ("old", 0, "old has 1 of 2 instances"),
        ("v9", 0, "v9 is not deployed"),
    ],
)
def test_short_capacity_says_what_is_missing(name: str, wanted: int, says: str) -> None:
    assert short_capacity(SERVED, name, wanted=wanted) == says


def test_an_objective_of_quality_keeps_no_version_from_being_trusted() -> None:
    judged = Slo(name="judged", sli=Sli.QUALITY, objective=0.9)
    both = alter(SOAK, service=alter(SERVICE, slos=(*SERVICE.slos, judged)))

    assert soak_rules(both) == soak_rules(SOAK)
