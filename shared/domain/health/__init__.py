"""Health checks: whether a service answers rightly, and not merely whether it answers."""
