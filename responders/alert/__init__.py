"""The way of an alert, in its order, from the webhook to the checked rollback.

Ingest or signal, triage, diagnose, corroborate, enforce, verify.
"""
