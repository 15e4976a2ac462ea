"""Freezes: when changes rest, because the calendar or a commander says so, and what that blocks."""
