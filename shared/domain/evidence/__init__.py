"""Evidence: what an auditor gets about an incident or a period, and what it proves by itself."""
