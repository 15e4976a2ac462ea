"""What a service needs, one after the other: whether each is there and fresh.

Part of the health check. An index is judged by its watermark: the newest document must not be older
than the service allows, however well everything answers.
"""

from datetime import datetime, timedelta

import msgspec

from shared.domain.catalog import Dependency, Service
from shared.domain.decisions.endpoint import EndpointSnapshot, ProbeReport
from shared.domain.health.report import Finding, HealthReport, Part, Verdict
from shared.domain.wording import duration

OLD = timedelta(minutes=30)  # another service's report says nothing of now after that


class Watermark(msgspec.Struct, frozen=True, kw_only=True):
    """How many documents an index has, and when the newest was written; None where it has none."""

    documents: int
    newest: datetime | None


def judge_index(
    dependency: Dependency, service: Service, found: Watermark | None, now: datetime
) -> Finding:
    """An index by its watermark; unknown where it could not be asked."""
    if found is None:
        return _of(dependency, Verdict.UNKNOWN, "could not be asked")
    if found.newest is None:
        return _of(dependency, Verdict.FAILED, "holds no document with a watermark")
    age, limit = now - found.newest, timedelta(seconds=service.index_max_age_s)
    said = f"{found.documents:,} documents, the newest {duration(max(age, timedelta(0)))} old"
    if age > limit:
        return _of(dependency, Verdict.FAILED, f"{said}, {duration(limit)} are allowed")
    return _of(dependency, Verdict.PASSED, said)


def judge_service(dependency: Dependency, report: HealthReport | None, now: datetime) -> Finding:
    """Another service by its own last check; it tells of its trouble itself, so no signal does."""
    finding = _of(dependency, Verdict.UNKNOWN, "has no health check of its own lately")
    if report is not None and now - report.at <= OLD:
        finding = _of(dependency, report.verdict, f"its own check says {report.verdict}")
    return msgspec.structs.replace(finding, matters=False)


def unasked(dependency: Dependency) -> Finding:
    """A dependency that has no address to ask it by."""
    return _of(dependency, Verdict.UNKNOWN, "its file gives no way to ask it")


def judge_deployment(name: str, report: ProbeReport | None, snapshot: EndpointSnapshot) -> Finding:
    """A version, asked by name: whether its model answers. Customers feel it where it serves."""
    why = f": {report.detail}" if report is not None and report.detail else ""
    verdict, said = Verdict.UNKNOWN, f"could not be asked{why}"
    if report is not None and report.sent:
        verdict = Verdict.PASSED if report.passed else Verdict.FAILED
        said = f"{report.passed} of {report.sent} probes by name were answered"
    share = next((part for one, part in snapshot.traffic.items() if one.lower() == name.lower()), 0)
    return Finding(
        part=Part.DEPLOYMENT,
        name=name,
        verdict=verdict,
        sentence=f"{name}: {said}",
        good=report.passed if report is not None else 0,
        total=report.sent if report is not None else 0,
        matters=share > 0,
    )


def _of(dependency: Dependency, verdict: Verdict, said: str) -> Finding:
    return Finding(
        part=Part.DEPENDENCY,
        name=dependency.name,
        verdict=verdict,
        sentence=f"{dependency.kind} {dependency.name}: {said}",
    )
