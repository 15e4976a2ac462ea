"""When the demo counts as a success: both cures, the consent, the ledger and the evidence."""

from typing import Any

import pytest

from infra.local.demo.approving import Approved, name_of
from infra.local.demo.exporting import Check, Exported
from infra.local.demo.seen import Seen
from infra.local.demo.summary import rows, succeeded, summarise
from infra.local.issuer.identities import IDENTITIES, TENANT
from infra.local.world import Pace

APPROVER = f"{TENANT}/{IDENTITIES['approver'].object_id}"
GOOD: dict[str, Any] = {
    "outcome": "mitigated",
    "good": "v1",
    "traffic": {"v1": 100, "v2": 0},
    "breach_to_restored_s": 20.0,
    "intended_changes": 1,
    "ledger": {"events": 9, "verified": True, "altered": "07/3", "named": "07/3", "seals": 2},
    "approved_by": APPROVER,
    "second": {"incident": "INC-2", "outcome": "mitigated", "traffic": {"v1": 100, "v2": 0}},
    "evidence": {"events": 30, "verified": True, "altered_found": True},
}


def test_both_cures_and_both_proofs_are_a_success() -> None:
    assert succeeded(GOOD)


@pytest.mark.parametrize(
    "otherwise",
    [
        {"outcome": "escalated"},
        {"traffic": {"v1": 0, "v2": 100}},
        {"intended_changes": 2},
        {"approved_by": ""},
        {"second": {**GOOD["second"], "outcome": "escalated"}},
        {"second": {**GOOD["second"], "traffic": {"v2": 100}}},
        {"evidence": {**GOOD["evidence"], "verified": False}},
        {"evidence": {**GOOD["evidence"], "altered_found": False}},
    ],
    ids=str,
)
def test_whatever_is_missing_is_none(otherwise: dict[str, Any]) -> None:
    assert not succeeded(GOOD | otherwise)


def test_nothing_seen_is_no_success_and_has_no_row_of_a_second_incident() -> None:
    found = summarise(Seen(), Pace())
    assert not succeeded(found)
    assert "the second incident" not in dict(rows(found))


def test_who_approved_is_told_by_the_timeline() -> None:
    told = [
        {"kind": "rollback.requested", "actor": "somebody"},
        {"kind": "approval.given", "actor": APPROVER},
    ]
    view = {"incident": {"state": "mitigated"}, "timeline": told}
    done = Check(code=0, said="ok: 3 events")
    seen = Seen(
        second=Approved(incident="INC-2", view=view, traffic={"v1": 100}),
        evidence=Exported(events=3, whole=done, altered=Check(code=1, said="BAD: 07/2")),
    )
    found = summarise(seen, Pace())
    assert found["approved_by"] == APPROVER
    assert found["second"]["outcome"] == "mitigated"
    assert found["evidence"] == {"events": 3, "verified": True, "altered_found": True}
    assert dict(rows(found))["the second incident"] == "mitigated, approved by Local approver"


@pytest.mark.parametrize(
    ("incident", "outcome"),
    [
        ({}, "none"),
        ({"state": "escalated"}, "escalated"),
        ({"state": "mitigated", "recovered_at": "2026-11-23T14:05:00Z"}, "mitigated"),
        ({"state": "resolved", "recovered_at": "2026-11-23T14:05:00Z"}, "mitigated"),
        ({"state": "resolved", "recovered_at": None}, "resolved"),
    ],
)
def test_what_was_mitigated_stays_so_when_its_alert_ends(
    incident: dict[str, Any], outcome: str
) -> None:
    assert Seen(view={"incident": incident}).outcome == outcome
    assert Approved(view={"incident": incident}).outcome == outcome


def test_somebody_unknown_keeps_their_id() -> None:
    assert name_of("a/b") == "a/b"
