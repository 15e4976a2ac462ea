"""Incidents: what opens, changes and ends them, and who is to be woken."""
