"""What the helper tells, as it arrives in the workspace: by Azure's exporter, in real tables."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import msgspec
from azure.monitor.opentelemetry.exporter.export.logs._exporter import _convert_log_to_envelope
from azure.monitor.opentelemetry.exporter.export.trace._exporter import (
    _convert_span_events_to_envelopes,
    _convert_span_to_envelope,
)
from opentelemetry.instrumentation.logging.handler import LoggingHandler
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from infra.local.logs.store import TelemetryStore

TABLES = {
    "RequestData": "AppRequests",
    "RemoteDependencyData": "AppDependencies",
    "MessageData": "AppTraces",
    "EventData": "AppEvents",
    "ExceptionData": "AppExceptions",
}
COLUMNS = {
    "name": "Name",
    "success": "Success",
    "responseCode": "ResultCode",
    "resultCode": "ResultCode",
    "target": "Target",
    "type": "DependencyType",
    "message": "Message",
    "properties": "Properties",
}
OF = {
    "AppRequests": {"Name", "Success", "ResultCode", "Properties"},
    "AppDependencies": {"Name", "Success", "ResultCode", "Target", "DependencyType", "Properties"},
    "AppTraces": {"Message", "Properties"},
    "AppEvents": {"Name", "Properties"},
    "AppExceptions": {"Properties"},
}


class Exported:
    """The spans and log records of one process, and how Azure's exporter would send them."""

    def __init__(self, service: str) -> None:
        resource = Resource({"service.name": service})
        self._spans, self._records = InMemorySpanExporter(), InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
        self.tracers = TracerProvider(resource=resource)
        self.tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        self.loggers = LoggerProvider(resource=resource)
        self.loggers.add_log_record_processor(SimpleLogRecordProcessor(self._records))

    def rows(self) -> list[tuple[str, dict[str, Any]]]:
        """Everything that was told, as (table, row), in the order in which it ended."""
        ended = self._spans.get_finished_spans()
        spans = [_convert_span_to_envelope(span) for span in ended]
        spans += [event for span in ended for event in _convert_span_events_to_envelopes(span)]
        records = [_convert_log_to_envelope(one) for one in self._records.get_finished_logs()]
        return [_row(envelope) for envelope in (*spans, *records)]

    def put_into(self, store: TelemetryStore) -> None:
        """Let everything arrive in the workspace."""
        for table, row in self.rows():
            store.append(table, [row])

    def of(self, table: str) -> list[dict[str, Any]]:
        """The rows of one table."""
        return [row for where, row in self.rows() if where == table]


@contextmanager
def exporting(service: str) -> Iterator[Exported]:
    """A process that is set up as Azure's distribution sets one up."""
    exported = Exported(service)
    handler = LoggingHandler(logger_provider=exported.loggers)
    log = logging.getLogger("backstop.telemetry")
    log.addHandler(handler)
    try:
        yield exported
    finally:
        log.removeHandler(handler)
        exported.tracers.shutdown()
        exported.loggers.shutdown()


def _row(envelope: Any) -> tuple[str, dict[str, Any]]:
    data = envelope.data.base_data.as_dict()
    table = TABLES[envelope.data.base_type]
    row = {COLUMNS[key]: value for key, value in data.items() if key in COLUMNS}
    row = {name: value for name, value in row.items() if name in OF[table]}
    if "duration" in data:
        row["DurationMs"] = _milliseconds(data["duration"])
    tags = envelope.tags
    return table, row | {
        "TimeGenerated": _moment(envelope.time),
        "AppRoleName": tags["ai.cloud.role"],
        "OperationId": tags["ai.operation.id"],
        "ItemCount": round(100 / (envelope.sample_rate or 100)),
    }


def _moment(time: Any) -> datetime:
    return time if isinstance(time, datetime) else msgspec.convert(time, datetime)


def _milliseconds(duration: str) -> float:
    days, _, rest = duration.partition(".")
    hours, minutes, seconds = rest.split(":")
    span = timedelta(days=int(days), hours=int(hours), minutes=int(minutes), seconds=float(seconds))
    return 1000 * span.total_seconds()
