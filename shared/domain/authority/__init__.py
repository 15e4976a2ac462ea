"""Authority: who calls, and what a caller of that role may do."""
