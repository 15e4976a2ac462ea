"""Noise: what belongs together, and what is held back without being lost."""
