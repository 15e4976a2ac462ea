"""The helper of AI services: the shipped queries and rules read exactly what it writes."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from opentelemetry.trace import SpanKind

from infra.local.logs.store import TelemetryStore
from shared.adapters import queries
from shared.domain.slos.compile import window_query
from shared.domain.slos.slo import BurnAlert, Indicator, Slo
from shared.telemetry import AiService, Version
from tests.infra.local.logs.workspace import make_store
from tests.shared.telemetry.exported import Exported, exporting

SERVICE = "fnol-summary"
V2 = Version(
    deployment="v2",
    model="gpt-4.1",
    prompt_version="p13",
    prompt_chain=("extract", "summarise"),
    configuration_digest="d2",
)
SERVED = {
    "backstop.deployment": "v2",
    "backstop.region": "westeurope",
    "backstop.prompt_version": "p13",
    "backstop.prompt_chain": "extract>summarise",
    "backstop.configuration_digest": "d2",
    "gen_ai.response.model": "gpt-4.1",
}
SECRET = "the claimant's name is Jansen"


@pytest.fixture
def exported() -> Iterator[Exported]:
    with exporting(SERVICE) as made:
        yield made


@pytest.fixture
def service(exported: Exported) -> AiService:
    return AiService(SERVICE, "westeurope", V2, exported.tracers)


def asked(exported: Exported, query: str, **parameters: Any) -> list[dict[str, Any]]:
    """The rows that a shipped query finds a minute after everything was told."""
    later = datetime.now(UTC) + timedelta(minutes=3)
    with make_store(later) as store:
        exported.put_into(store)
        return found_in(store, query, later, **parameters)


def found_in(
    store: TelemetryStore, query: str, later: datetime, **parameters: Any
) -> list[dict[str, Any]]:
    window = {"Lag": timedelta(0), "Bin": timedelta(seconds=1), **parameters}
    if "Since" in queries.load(query).parameters:
        window["Since"] = later - timedelta(minutes=10)
    result = store.query(queries.render(query, Service=SERVICE, **window))
    names = [name for name, _ in result.columns]
    return [dict(zip(names, row, strict=True)) for row in result.rows]


def test_a_request_names_what_served_it(exported: Exported, service: AiService) -> None:
    with service.request(tenant="org-1"):
        pass

    (request,) = exported.of("AppRequests")
    told = request["Properties"]
    assert told.items() >= (SERVED | {"backstop.tenant": "org-1"}).items()
    assert told["backstop.latency_bucket"] == "0-50ms"
    assert (request["AppRoleName"], request["Success"], request["ResultCode"]) == (
        SERVICE,
        True,
        "200",
    )


def test_what_fails_is_a_failed_request_and_goes_on(exported: Exported, service: AiService) -> None:
    with pytest.raises(RuntimeError), service.request():
        raise RuntimeError(SECRET)
    with service.request() as refused:
        refused.failed(429)

    found = [(row["Success"], row["ResultCode"]) for row in exported.of("AppRequests")]
    assert found == [(False, "500"), (False, "429")]


def test_a_web_frameworks_own_span_tells_the_request(
    exported: Exported, service: AiService
) -> None:
    tracer = exported.tracers.get_tracer("a web framework")
    with tracer.start_as_current_span("POST /score", kind=SpanKind.SERVER), service.request():
        pass

    (request,) = exported.of("AppRequests")
    assert request["Properties"].items() >= SERVED.items()


def test_diagnosis_reads_whose_calls_fail(exported: Exported, service: AiService) -> None:
    with service.request():
        with service.model_call("westeurope.openai") as call:
            call.answered(429)
        with pytest.raises(ConnectionError), service.tool_call("policy_lookup"):
            raise ConnectionError

    calls = {(row["Kind"], row["Target"]): row for row in asked(exported, "dependencies")}
    assert {key: row["ResultCode"] for key, row in calls.items()} == {
        ("chat", "westeurope.openai"): "429",
        ("execute_tool", "policy_lookup"): "500",
    }
    (tool,) = asked(exported, "tool_failures")
    assert tool == {
        "Tool": "policy_lookup",
        "Deployment": "v2",
        "Region": "westeurope",
        "Total": 1,
        "Failed": 1,
    }


def test_tokens_and_cost_are_told_by_call_and_by_request(
    exported: Exported, service: AiService
) -> None:
    with service.request():
        for _ in V2.prompt_chain:
            with service.model_call("westeurope.openai") as call:
                call.answered(model="gpt-4.1-2026", input_tokens=900, output_tokens=80, cost=0.25)

    call_told = exported.of("AppDependencies")[0]["Properties"]
    assert call_told["gen_ai.usage.input_tokens"] == "900"
    assert call_told["gen_ai.response.model"] == "gpt-4.1-2026"
    assert exported.of("AppRequests")[0]["Properties"]["backstop.cost"] == "0.5"


def test_content_safety_and_outcomes_are_read_by_their_queries(
    exported: Exported, service: AiService
) -> None:
    with service.request():
        service.content_safety(blocked=True, category="violence")
        service.outcome("accepted")

    (safety,) = asked(exported, "content_safety")
    assert (safety["Deployment"], safety["Blocked"]) == ("v2", 1)
    (outcome,) = asked(exported, "outcomes", BaselineWeeks=1)
    assert (outcome["Outcome"], outcome["X1"]) == ("accepted", 1)


def test_the_newest_document_of_an_index_is_read(exported: Exported, service: AiService) -> None:
    newest = datetime(2026, 11, 23, 12, tzinfo=UTC)

    service.index_watermark("policy-wordings", newest)

    (index,) = asked(exported, "index_freshness")
    assert (index["Index"], index["Watermark"]) == ("policy-wordings", newest.replace(tzinfo=None))


def test_a_late_label_belongs_to_the_request_that_it_judges(
    exported: Exported, service: AiService
) -> None:
    with service.request(tenant="a&b=c") as request:
        reference = request.reference
    newer = AiService(SERVICE, "westeurope", V2._replace(deployment="v3"), exported.tracers)

    newer.judgement(good=False, of=reference, answered_at=datetime(2026, 11, 23, 12, tzinfo=UTC))

    (judgement,) = exported.of("AppEvents")
    told = judgement["Properties"]
    assert judgement["OperationId"] == exported.of("AppRequests")[0]["OperationId"]
    assert (told["backstop.deployment"], told["backstop.tenant"]) == ("v2", "a&b=c")
    assert told["backstop.judgement"] == "bad"
    assert told["backstop.answered_at"] == "2026-11-23T12:00:00Z"


def test_how_many_were_answered_is_told_once_a_minute(
    exported: Exported, service: AiService, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr("shared.telemetry.service.perf_counter", lambda: clock[0])
    for clock[0] in (0.0, 10.0, 59.9):
        with service.request(tenant="org-1"):
            pass
    with service.request() as refused:
        refused.failed(429)
    with service.request(probe=True):
        pass
    assert exported.of("AppEvents") == []

    clock[0] = 60.0
    with service.request(tenant="org-1"):
        pass
    (told,) = exported.of("AppEvents")
    assert told["Name"] == "backstop.answered"
    assert told["Properties"].items() >= (SERVED | {"backstop.answered": "4"}).items()
    assert "backstop.tenant" not in told["Properties"]


def test_the_rule_reads_the_labels_and_how_many_were_answered(
    exported: Exported, service: AiService, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr("shared.telemetry.service.perf_counter", lambda: clock[0])
    for number in range(20):
        clock[0] = 60.0 * (number == 19)
        with service.request():
            if number < 10:
                service.outcome("rejected")
    alert = BurnAlert(burn_rate=1, short_window="5m", long_window="1h", minimum_requests=5)

    burns = [
        _rows_of(exported, window_query(SERVICE, _quality(least), alert)) for least in (0.5, 0.51)
    ]

    assert [len(rows) for rows in burns] == [1, 0]


def _quality(least: float) -> Slo:
    return Slo(
        name="usable",
        sli="quality",
        objective=0.9,
        indicator=Indicator(
            table="AppEvents",
            where='Name == "backstop.outcome"',
            good='tostring(Properties["backstop.outcome"]) != "rejected"',
            label_source="outcome",
            least_labelled=least,
        ),
    )


def _rows_of(exported: Exported, query: str) -> list[tuple[Any, ...]]:
    with make_store(datetime.now(UTC) + timedelta(seconds=5)) as store:
        exported.put_into(store)
        return list(store.query(query).rows)


def test_a_probe_is_no_customer(exported: Exported, service: AiService) -> None:
    with service.request(probe=True), service.tool_call("policy_lookup"):
        pass

    assert asked(exported, "tool_failures") == []


async def test_requests_side_by_side_keep_their_own_facts(
    exported: Exported, service: AiService
) -> None:
    async def answer(tenant: str) -> None:
        with service.request(tenant=tenant):
            await asyncio.sleep(0)
            service.outcome(tenant)

    await asyncio.gather(*(answer(f"org-{number}") for number in range(5)))

    told = [row["Properties"] for row in exported.of("AppEvents")]
    assert all(one["backstop.outcome"] == one["backstop.tenant"] for one in told)
    assert len(told) == 5


def test_no_text_of_a_failure_reaches_the_rows(exported: Exported, service: AiService) -> None:
    with pytest.raises(RuntimeError), service.request(), service.tool_call("policy_lookup"):
        raise RuntimeError(SECRET)

    assert SECRET not in str(exported.rows())


def test_the_helper_needs_opentelemetry_api_alone() -> None:
    look = (
        "import sys, shared.telemetry; "
        "print(*sorted({name.split('.')[0] for name in sys.modules} - sys.stdlib_module_names))"
    )
    found = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)

    assert set(found.stdout.split()) <= {
        "__main__",
        "opentelemetry",
        "shared",
        "typing_extensions",
        "_distutils_hack",
    }
