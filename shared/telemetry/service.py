"""One AI service as it serves: its requests, the calls that it makes, and what came of the answers.

Spans become AppRequests and AppDependencies, log records AppTraces and AppEvents. Nothing here
takes the text of a prompt or of an answer, so none can be told by mistake.
"""

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from time import perf_counter
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

from opentelemetry import trace
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TracerProvider,
)

from shared.telemetry import vocabulary as say
from shared.telemetry.answers import Answers

type Facts = dict[str, str]

_BAD_STATUS = 400
_events = logging.getLogger("backstop.telemetry")
_events.setLevel(logging.INFO)
_current: ContextVar["Request | None"] = ContextVar("backstop_request", default=None)


class ModelCall:
    """A call of a model that goes on. `answered` says what came of it."""

    def __init__(self, span: Span, request: "Request | None") -> None:
        self._span = span
        self._request = request

    def answered(
        self,
        status: int = 200,
        *,
        model: str = "",
        input_tokens: int = 0,
        output_tokens: int = 0,
        cost: float = 0.0,
    ) -> None:
        """The model answered: an HTTP status, its own name, tokens, and money of the firm."""
        _end(self._span, status)
        self._span.set_attribute(say.INPUT_TOKENS, input_tokens)
        self._span.set_attribute(say.OUTPUT_TOKENS, output_tokens)
        if model:
            self._span.set_attribute(say.MODEL, model)
        if cost:
            self._span.set_attribute(say.COST, cost)
        if self._request is not None:
            self._request.cost += cost


class Request:
    """One request that is being answered. `reference` finds it again when a label comes late."""

    def __init__(self, span: Span, facts: Facts) -> None:
        self.cost = 0.0
        self.facts = facts
        self.is_good = True
        self._span = span

    @property
    def reference(self) -> str:
        """Names the request from anywhere, later: a W3C traceparent and what served it."""
        known = self._span.get_span_context()
        return f"00-{known.trace_id:032x}-{known.span_id:016x}-01;{urlencode(self.facts)}"

    def failed(self, status: int = 500) -> None:
        """The request is answered with an error."""
        self.is_good = False
        _end(self._span, status)


class Version(NamedTuple):
    """What serves, as its release declares it; `prompt_chain`: the prompts of several steps."""

    deployment: str
    model: str
    prompt_version: str
    prompt_chain: tuple[str, ...] = ()
    configuration_digest: str = ""


class AiService:
    """One service in one region. `name` is that of its file in Backstop's catalog.

    The process's resource must name the service alike (OTEL_SERVICE_NAME): it becomes AppRoleName.
    `tracers` is the process's own provider where none is given.
    """

    def __init__(
        self, name: str, region: str, version: Version, tracers: TracerProvider | None = None
    ) -> None:
        self.name = name
        told = {
            say.DEPLOYMENT: version.deployment,
            say.REGION: region,
            say.MODEL: version.model,
            say.PROMPT_VERSION: version.prompt_version,
            say.PROMPT_CHAIN: ">".join(version.prompt_chain),
            say.DIGEST: version.configuration_digest,
        }
        self._facts = {key: value for key, value in told.items() if value}
        self._tracer = trace.get_tracer("backstop.telemetry", tracer_provider=tracers)
        self._answers = Answers()

    @contextmanager
    def request(
        self, name: str = "POST /score", *, tenant: str = "", probe: bool = False
    ) -> Iterator[Request]:
        """Answer one request. Within a span of a web framework, that span tells it.

        `tenant` is an opaque id, never a name. An exception counts as an error and goes on.
        """
        facts = self._facts | ({say.TENANT: tenant} if tenant else {})
        facts |= {say.PROBE: "true"} if probe else {}
        with self._request_span(name) as span:
            request = Request(span, facts)
            span.set_attributes(facts)
            known, began = _current.set(request), perf_counter()
            try:
                yield request
            except Exception:
                request.failed()
                raise
            finally:
                _current.reset(known)
                span.set_attribute(say.LATENCY, say.latency_bucket(1000 * (perf_counter() - began)))
                if request.cost:
                    span.set_attribute(say.COST, request.cost)
                if request.is_good and not probe:
                    self._count_answer()

    @contextmanager
    def _request_span(self, name: str) -> Iterator[Span]:
        around = trace.get_current_span()
        if around.is_recording():
            yield around
            return
        with self._span(name, SpanKind.SERVER) as span:
            span.set_attributes({say.METHOD: "POST", say.STATUS: 200})
            yield span

    @contextmanager
    def model_call(self, host: str) -> Iterator[ModelCall]:
        """Call a model at a host; one that raises before it is `answered` counts as failed."""
        with self._call(f"chat {host}", host, {say.OPERATION: "chat"}) as span:
            yield ModelCall(span, _current.get())

    @contextmanager
    def tool_call(self, tool: str) -> Iterator[None]:
        """Call a tool; an exception is its failure, and goes on."""
        facts = {say.OPERATION: "execute_tool", say.TOOL: tool}
        with self._call(f"execute_tool {tool}", tool, facts):
            yield

    @contextmanager
    def _call(self, name: str, target: str, facts: Facts) -> Iterator[Span]:
        with self._span(name, SpanKind.CLIENT) as span:
            span.set_attributes(self._told() | facts)
            span.set_attributes({say.METHOD: "POST", say.STATUS: 200, say.TARGET: target})
            try:
                yield span
            except Exception:
                _end(span, 500)
                raise

    def _span(self, name: str, kind: SpanKind) -> AbstractContextManager[Span]:
        """A span that keeps no text of an exception: it may quote a prompt."""
        return self._tracer.start_as_current_span(
            name, kind=kind, record_exception=False, set_status_on_exception=False
        )

    def content_safety(self, *, blocked: bool, category: str = "") -> None:
        """What the content filter decided about an answer."""
        verdict = {say.SAFETY: "blocked" if blocked else "allowed"}
        self._tell(
            "content safety", verdict | ({say.SAFETY_CATEGORY: category} if category else {})
        )

    def outcome(self, name: str, *, of: str = "", answered_at: datetime | None = None) -> None:
        """What the business made of an answer, such as "accepted"; `of`: a late one's reference."""
        self._label("backstop.outcome", {say.OUTCOME: name}, of, answered_at)

    def judgement(self, *, good: bool, of: str = "", answered_at: datetime | None = None) -> None:
        """What a judge made of an answer; `of` is a late one's reference."""
        verdict = {say.JUDGEMENT: "good" if good else "bad"}
        self._label("backstop.judgement", verdict, of, answered_at)

    def index_watermark(self, index: str, newest: datetime) -> None:
        """How old the newest document of a search index is; at least every quarter of an hour."""
        told = {say.INDEX: index, say.WATERMARK: newest.astimezone(UTC).isoformat()}
        self._tell(say.INDEX_WATERMARK, told | {say.EVENT: say.INDEX_WATERMARK})

    def _count_answer(self) -> None:
        told = self._answers.add(perf_counter())
        if told:
            self._tell(say.ANSWERED, {say.EVENT: say.ANSWERED, say.ANSWERED: str(told)})

    def _label(self, event: str, facts: Facts, of: str, answered_at: datetime | None) -> None:
        if answered_at is not None:
            facts |= {say.ANSWERED_AT: f"{answered_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"}
        if not of:
            self._tell(event, facts | {say.EVENT: event})
            return
        span, served_by = _read_reference(of)
        with trace.use_span(span):
            _events.info(event, extra=served_by | facts | {say.EVENT: event})

    def _tell(self, message: str, facts: Facts) -> None:
        _events.info(message, extra=self._told() | facts)

    def _told(self) -> Facts:
        request = _current.get()
        return dict(self._facts if request is None else request.facts)


def _end(span: Span, status: int) -> None:
    span.set_attribute(say.STATUS, status)
    if status >= _BAD_STATUS:
        span.set_status(Status(StatusCode.ERROR))


def _read_reference(reference: str) -> tuple[Span, Facts]:
    """The span that a reference names, and what served. Raises ValueError where it is none."""
    parent, _, said = reference.partition(";")
    _, trace_id, span_id, _ = parent.split("-")
    known = SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True)
    return NonRecordingSpan(known), dict(parse_qsl(said))
