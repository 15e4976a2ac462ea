"""Redaction: what is secret or personal becomes a keyed token before it is stored or sent."""
