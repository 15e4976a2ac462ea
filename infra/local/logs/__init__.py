"""Log Analytics on one machine: telemetry in DuckDB behind the service's own query protocol."""
