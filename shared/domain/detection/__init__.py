"""What watches a service's telemetry: alert rules, generated from the service's own file."""
