"""One worked example for the pure functions: a service whose v2 fails, as the logs tell of it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from infra.local.bench.alerts import alert
from infra.local.bench.cast import CastPlan, service_name, write_cast
from infra.local.bench.simulated import Simulated
from infra.local.bench.trust import release_of, trusting
from infra.local.foundry.seed import BAD_REGION
from infra.local.simulation.plan import Ports
from shared.adapters import queries
from shared.adapters.catalog import load_catalog
from shared.domain.alerts.alert import parse_alert
from shared.domain.catalog import Service
from shared.domain.decisions.case import Case
from shared.domain.decisions.control import Controls
from shared.domain.decisions.endpoint import Deployment, EndpointSnapshot, ProbeReport
from shared.domain.decisions.intent import EndpointRecord
from shared.domain.diagnosis.diagnose import diagnose
from shared.domain.diagnosis.diagnosis import Diagnosis
from shared.domain.diagnosis.evidence import ROWS
from shared.domain.diagnosis.telemetry import AnswerStatus, QueryAnswer
from shared.domain.incidents.incident import Incident
from shared.domain.incidents.triage import triage
from shared.domain.slos.burn_query import BURN_RATES, burn_query

NAME = service_name(0)


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that parsing, diagnosing and deciding take, of one incident."""

    body: bytes
    service: Service
    incident: Incident
    answers: dict[str, QueryAnswer]
    record: EndpointRecord
    now: datetime

    def diagnose(self) -> Diagnosis:
        """Diagnose it."""
        return diagnose(
            incident=self.incident,
            service=self.service,
            answers=self.answers,
            changes=(),
            known_good=self.record.known_good,
            now=self.now,
        )

    def case(self) -> Case:
        """What is decided about: the endpoint is idle and all probes of v1 pass."""
        snapshot = EndpointSnapshot(
            target=self.record.target,
            traffic={"v1": 0, "v2": 100},
            mirror={},
            state="Succeeded",
            last_modified="2026-11-23T06:00:00Z",
            deployments=tuple(
                Deployment(name=name, state="Succeeded", instances=2) for name in ("v1", "v2")
            ),
            scoring_uri="",
            read_at=self.now,
        )
        return Case(
            service=self.service,
            incident=self.incident,
            diagnosis=self.diagnose(),
            snapshot=snapshot,
            record=self.record,
            live=release_of(NAME, "v2", self.now),
            good_release=release_of(NAME, "v1", self.now),
            target_probe=_probed("v1", passed=20),
            live_probe=_probed(None, passed=12),
            controls=Controls(),
            now=self.now,
        )


def make_sample(folder: Path) -> Sample:
    """Play a breach in process and ask all queries about it."""
    write_cast(folder / "catalog", 1)
    service = load_catalog(folder / "catalog").services[NAME]
    simulated = Simulated(_plan(folder))
    simulated.break_service(NAME)
    now = datetime.now(UTC)
    body = alert("pure", 0, slice_="swedencentral", fired_at=now)
    step = triage(
        parse_alert(body, now),
        service=service,
        claim=None,
        open_incident=None,
        now=now,
        shard="00",
    )
    assert step.incident is not None, "the first alert of a trouble opens an incident"
    return Sample(
        body=body,
        service=service,
        incident=step.incident,
        answers={name: _answer(simulated, name, service, now) for name in ROWS},
        record=trusting(NAME, now),
        now=now,
    )


def _probed(deployment: str | None, *, passed: int) -> ProbeReport:
    return ProbeReport(
        deployment=deployment,
        region=BAD_REGION,
        sent=20,
        passed=passed,
        answered_by={deployment or "v2": 20},
    )


def _plan(folder: Path) -> CastPlan:
    ports = Ports(bus=0, logs=0, arm=0, scoring=0, inbox=0, control=0, issuer=0)
    return CastPlan(ports=ports, alert_url="", data=str(folder))


def _answer(simulated: Simulated, name: str, service: Service, now: datetime) -> QueryAnswer:
    since = now - timedelta(hours=1)
    values: dict[str, queries.Value] = {
        "Service": service.name,
        "LatencyThresholdMs": service.latency_threshold_ms(),
        "Since": since,
        "Until": now,
        "BaselineWeeks": 3,
        "Window": timedelta(hours=6),
        "ResourceId": service.targets[0].id,
        "Lag": timedelta(seconds=1),
        "Bin": timedelta(minutes=1) if name == "anomalies" else timedelta(seconds=1),
    }
    query = burn_query(service) if name == BURN_RATES else queries.load(name)
    text = queries.render(query, **{key: values[key] for key in query.parameters})
    found = simulated.store.query(text)
    columns = [column for column, _ in found.columns]
    rows = tuple(
        {column: _aware(value) for column, value in zip(columns, row, strict=True)}
        for row in found.rows
    )
    status = AnswerStatus.COMPLETE if rows else AnswerStatus.EMPTY
    return QueryAnswer(name=name, status=status, rows=rows)


def _aware(value: object) -> object:
    """Times without a zone, as the store gives them, are UTC."""
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value
