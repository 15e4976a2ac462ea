"""What lies in every evidence bundle as it is: programs for whoever checks, not for Backstop."""
