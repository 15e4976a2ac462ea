"""Readiness: whether Backstop could act now, and what each service has reached on the way there."""
