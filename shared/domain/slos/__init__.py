"""Objectives: what is promised, how fast the error budget burns, and what follows from it."""
