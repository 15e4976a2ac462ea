"""Lineage: of what an endpoint version is made, and whether what is served is what was declared."""
