"""Alerts: what comes in, in every form that Azure sends, and what cannot be read of it."""
