"""The closing box and `.local/demo/summary.json`: what it took, measured, and whether it counts."""

from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from infra.local.demo.approving import Approved, name_of
from infra.local.demo.seen import Seen
from infra.local.world import Pace


def summarise(seen: Seen, pace: Pace) -> dict[str, Any]:
    """All figures of one run; None where something never happened. Times in seconds."""
    incident = seen.view.get("incident", {})
    intent = seen.view.get("intent") or {}
    good = (seen.view.get("decision") or {}).get("plan") or {}
    proof = seen.proof
    return {
        "outcome": seen.outcome,
        "incident": incident.get("id", ""),
        "good": good.get("good", ""),
        "traffic": seen.status.get("traffic", {}),
        "breach_to_restored_s": _since(seen.first_bad_at, seen.restored_at),
        "parts_s": _parts(seen, incident, intent),
        "simulated_arm_s": pace.operation_s,
        "alert_to_plan_s": _alert_to_plan(seen),
        "breach_to_plan_s": _since(seen.first_bad_at, _decided_at(seen)),
        "rto": (seen.view.get("rto") or {}).get("standing", "unknown"),
        "affected": seen.affected,
        "duplicates_folded": seen.status.get("folded", 0),
        "intended_changes": seen.intended_changes,
        "killed": seen.killed,
        "cards": seen.cards,
        "pages": seen.pages,
        "ledger": {
            "events": proof.events if proof else 0,
            "verified": bool(proof and proof.verified and not proof.missing),
            "altered": proof.altered if proof else "",
            "named": proof.named if proof else "",
            "seals": proof.seals if proof else 0,
        },
        "key_fingerprint": proof.key if proof else "",
        "approved_by": seen.second.approved_by,
        "second": _second(seen.second),
        "evidence": {
            "events": seen.evidence.events,
            "verified": seen.evidence.verified,
            "altered_found": seen.evidence.altered_found,
        },
        "pace": msgspec.to_builtins(pace),
    }


def _second(second: Approved) -> dict[str, Any]:
    return {
        "incident": second.incident,
        "outcome": second.outcome,
        "traffic": second.traffic,
        "by_script": second.by_script,
    }


def succeeded(summary: dict[str, Any]) -> bool:
    """Whether both services really serve the good version, and ledger and evidence prove it."""
    evidence = summary["evidence"]
    exported = evidence["verified"] and evidence["altered_found"]
    return _healed(summary) and _agreed(summary) and bool(exported)


def _agreed(summary: dict[str, Any]) -> bool:
    """Whether the second service was healed, and a person let it be."""
    second = summary["second"]
    cured = second["outcome"] == "mitigated" and second["traffic"].get("v1") == 100
    return cured and bool(summary["approved_by"])


def _healed(summary: dict[str, Any]) -> bool:
    """Whether the first endpoint really serves the good version, and the ledger has every step."""
    good = summary["good"]
    serves = bool(good) and summary["traffic"].get(good) == 100
    ledger = summary["ledger"]
    found = ledger["named"] == ledger["altered"] != ""
    restored = summary["breach_to_restored_s"] is not None
    proven = ledger["verified"] and found and summary["intended_changes"] == 1
    return summary["outcome"] == "mitigated" and serves and restored and proven


def rows(summary: dict[str, Any]) -> list[tuple[str, str]]:
    """The closing box, a line a figure."""
    parts = {name: _seconds(value) for name, value in summary["parts_s"].items()}
    ledger = summary["ledger"]
    kept = f"{ledger['events']} events under {ledger['seals']} seals"
    verified = "verified" if ledger["verified"] else "NOT verified"
    found = "found" if ledger["named"] == ledger["altered"] != "" else "NOT found"
    return [
        ("breach to restored", _seconds(summary["breach_to_restored_s"])),
        ("  to detect, decide, act", f"{parts['detect']}, {parts['decide']}, {parts['act']}"),
        ("  of that simulated ARM", _seconds(summary["simulated_arm_s"])),
        ("then to verify", parts["verify"]),
        ("alert to plan", _seconds(summary["alert_to_plan_s"])),
        ("breach to plan, by a log rule", _seconds(summary["breach_to_plan_s"])),
        ("recovery objective (RTO)", summary["rto"]),
        ("bad answers, for rework", str(summary["affected"])),
        ("alerts that came twice", f"{summary['duplicates_folded']}, folded"),
        ("intended changes", str(summary["intended_changes"])),
        ("cards in Teams, pages", f"{summary['cards']}, {summary['pages']}"),
        ("ledger", f"{kept}, {verified}; an altered byte is {found}"),
        *(_rows_of_second(summary) if summary["second"]["incident"] else ()),
    ]


def _rows_of_second(summary: dict[str, Any]) -> list[tuple[str, str]]:
    second, evidence = summary["second"], summary["evidence"]
    who = name_of(summary["approved_by"]) or "nobody"
    verified = "verified" if evidence["verified"] else "NOT verified"
    found = "found" if evidence["altered_found"] else "NOT found"
    return [
        ("the second incident", f"{second['outcome']}, approved by {who}"),
        ("evidence", f"{evidence['events']} events, {verified}; an altered byte is {found}"),
    ]


def write(summary: dict[str, Any], path: Path) -> None:
    """Keep the figures where scripts find them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(summary)) + b"\n")


def _parts(seen: Seen, incident: dict[str, Any], intent: dict[str, Any]) -> dict[str, float | None]:
    opened = _epoch(incident.get("opened_at"))
    intended = _epoch(intent.get("opened_at"))
    mitigated = _epoch(incident.get("recovered_at"))
    return {
        "detect": _since(seen.first_bad_at, opened),
        "decide": _since(opened, intended),
        "act": _since(intended, seen.restored_at),
        "verify": _since(seen.restored_at, mitigated),
    }


def _alert_to_plan(seen: Seen) -> float | None:
    opened = _epoch(seen.view.get("incident", {}).get("opened_at"))
    return _since(opened, _decided_at(seen))


def _decided_at(seen: Seen) -> float | None:
    return _epoch((seen.view.get("decision") or {}).get("decided_at"))


def _epoch(text: str | None) -> float | None:
    return datetime.fromisoformat(text).timestamp() if text else None


def _since(start: float | None, end: float | None) -> float | None:
    return round(end - start, 2) if start and end else None


def _seconds(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1f} s"
