"""Ten incidents with red herrings: the change that caused each comes first."""

from datetime import timedelta

import pytest

from shared.domain.decisions.release import Change
from shared.domain.diagnosis.diagnosis import Attribution, Cause
from shared.domain.diagnosis.measurements import ActivityRow
from shared.domain.diagnosis.suspects import Scene, changes_from, rank
from tests.shared.domain.diagnosis.telemetry_story import ENDPOINT, SERVICE, START, seconds

SWEDEN = ("swedencentral",)
OTHERS = "/subscriptions/1/resourcegroups/rg-billing/providers/microsoft.web/sites/invoices"


def change(kind: str, minutes: float, name: str, **rest: str) -> Change:
    """A change so many minutes before the onset; below zero is after it."""
    return Change(id=name, kind=kind, at=START - timedelta(minutes=minutes), what=name, **rest)


def scene(cause: Cause = Cause.UNKNOWN, dependency: str = "", **rest: object) -> Scene:
    attribution = Attribution(cause=cause, dependency=dependency)
    return Scene(service=SERVICE, onset=START, attribution=attribution, **rest)  # type: ignore[arg-type]


CASES = {
    "traffic moved to the bad version": (
        scene(Cause.VERSION, version="v2", regions=SWEDEN),
        [
            change("release", 300, "release v2", deployment="v2"),
            change("catalog", 1, "new contact"),
            change("activity", 0.5, "billing restarted", resource=OTHERS),
            change("traffic", -2, "traffic back", deployment="v1"),
        ],
        change("traffic", 0.6, "culprit", deployment="v2"),
    ),
    "a prompt edit, hours after the release": (
        scene(Cause.VERSION, version="v2"),
        [
            change("traffic", 240, "traffic v2", deployment="v2"),
            change("release", 260, "release v2", deployment="v2"),
            change("flag", 30, "flag on v1", deployment="v1"),
            change("index", 55, "index rebuilt"),
        ],
        change("prompt", 4, "culprit", deployment="v2"),
    ),
    "a flag flipped in one region": (
        scene(version="v1", regions=SWEDEN),
        [
            change("flag", 3, "flag west", region="westeurope"),
            change("release", 600, "release v1", deployment="v1"),
            change("activity", 2, "billing scaled", resource=OTHERS),
        ],
        change("flag", 6, "culprit", region="swedencentral"),
    ),
    "an index that was not rebuilt": (
        scene(Cause.INDEX, "policy-wordings", version="v2"),
        [
            change("traffic", 45, "traffic v2", deployment="v2"),
            change("catalog", 10, "runbook link"),
            change("activity", 5, "billing restarted", resource=OTHERS),
        ],
        change("index", 20, "culprit"),
    ),
    "a network rule in the region": (
        scene(Cause.REGION, "swedencentral", regions=SWEDEN),
        [
            change("release", 90, "release v2", deployment="v2"),
            change("catalog", 3, "mode changed"),
            change("activity", 4, "firewall west", region="westeurope"),
            change("flag", 50, "flag everywhere"),
        ],
        change("activity", 5, "culprit", region="swedencentral"),
    ),
    "quota taken from the model account": (
        scene(Cause.UPSTREAM, "swedencentral.openai", regions=SWEDEN),
        [
            change("traffic", 60, "traffic v2", deployment="v2"),
            change("activity", 2, "billing scaled", resource=OTHERS),
            change("catalog", 5, "new contact"),
        ],
        change("activity", 8, "culprit", resource="/subscriptions/1/accounts/swedencentral.openai"),
    ),
    "the release closest to the onset": (
        scene(Cause.VERSION, version="v3"),
        [
            change("release", 1440, "release v1", deployment="v1"),
            change("release", 200, "release v2", deployment="v2"),
            change("release", -1, "release v4", deployment="v4"),
        ],
        change("release", 12, "culprit", deployment="v3"),
    ),
    "a catalogue edit is rarely it, but here it is alone": (
        scene(version="v1"),
        [change("traffic", -5, "rollback", deployment="v1"), change("flag", -30, "flag later")],
        change("catalog", 9, "culprit"),
    ),
    "somebody scaled the endpoint itself": (
        scene(version="v1"),
        [
            change("activity", 1, "billing restarted", resource=OTHERS),
            change("release", 720, "release v1", deployment="v1"),
            change("catalog", 2, "new contact"),
        ],
        change("activity", 3, "culprit", resource=f"{ENDPOINT}/deployments/v1"),
    ),
    "all regions fail: a change everywhere, not the one in a single region": (
        scene(),
        [
            change("flag", 5, "flag west", region="westeurope"),
            change("index", 120, "index rebuilt"),
            change("catalog", 4, "runbook link"),
        ],
        change("flag", 7, "culprit"),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_cause_comes_first_whatever_the_order(name: str) -> None:
    where, herrings, culprit = CASES[name]

    for changes in ([*herrings, culprit], [culprit, *reversed(herrings)]):
        assert rank(changes, where)[0].change == "culprit"


@pytest.mark.parametrize(
    ("herring", "culprit"),
    [
        (
            change("activity", 1, "herring", resource=OTHERS),
            change("activity", 20, "culprit", resource=ENDPOINT),
        ),
        (
            change("traffic", 1, "herring", deployment="v1"),
            change("traffic", 20, "culprit", deployment="v2"),
        ),
    ],
    ids=["somebody else's resource", "another version"],
)
def test_what_does_not_concern_the_hurt_ranks_last(herring: Change, culprit: Change) -> None:
    found = rank([herring, culprit], scene(version="v2"))

    assert [one.change for one in found] == ["culprit", "herring"]


def test_nothing_after_the_onset_is_a_suspect() -> None:
    late = change("traffic", -0.1, "late", deployment="v2")

    assert rank([late], scene(version="v2")) == ()


def test_the_onset_is_only_as_exact_as_its_bin() -> None:
    inside = change("traffic", -0.5, "inside the bin", deployment="v2")

    assert rank([inside], scene(version="v2", precision=seconds(60)))[0].change == "inside the bin"


def test_every_suspect_says_why_it_has_its_rank() -> None:
    where = scene(Cause.VERSION, version="v2", regions=SWEDEN)

    (suspect,) = rank(
        [change("traffic", 1, "moved", deployment="v2", region="swedencentral")], where
    )

    assert suspect.reasons == (
        "1 min before it began",
        "concerns v2, which is hurt",
        "in swedencentral, which is hit",
        "traffic changes fit the cause: version",
    )


def test_without_an_onset_all_changes_stay_suspects() -> None:
    changes = [change("traffic", 10, "a", deployment="v2"), change("catalog", -10, "b")]

    found = rank(changes, Scene(service=SERVICE))

    assert [one.change for one in found] == ["a", "b"]
    assert "when it began is not known" in found[0].reasons


def test_equal_suspects_are_ordered_newest_first() -> None:
    twins = [change("flag", 5, "a", region=""), change("flag", 5, "b")]

    assert [one.change for one in rank(twins, scene())] == ["a", "b"]


def test_the_control_planes_rows_become_one_change_an_operation() -> None:
    def row(at: float, status: str, correlation: str) -> ActivityRow:
        return ActivityRow(
            at=START + seconds(at),
            operation="MICROSOFT.MACHINELEARNINGSERVICES/WORKSPACES/ONLINEENDPOINTS/WRITE",
            status=status,
            caller="pipeline",
            resource_id=ENDPOINT.upper(),
            correlation_id=correlation,
        )

    changes = changes_from([row(9, "Success", "a"), row(3, "Start", "a"), row(20, "Start", "b")])

    assert [(one.id, one.at) for one in changes] == [
        ("activity a", START + seconds(3)),
        ("activity b", START + seconds(20)),
    ]
    assert SERVICE.owns(changes[0].resource)
    assert changes[0].what.endswith("on FNOL-SUMMARY")
