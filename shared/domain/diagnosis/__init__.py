"""Diagnosis: from the workspace's rows to what is bad, since when and whose fault it is."""
