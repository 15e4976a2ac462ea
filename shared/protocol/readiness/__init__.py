"""What each app knows of its own rights, how it finds out, and how the reports stand."""
