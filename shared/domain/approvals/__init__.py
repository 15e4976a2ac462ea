"""Approvals: what people decide about plans, and the rollbacks that people ask for. Pure."""
