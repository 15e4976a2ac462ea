"""What a tick finds undone and ends: lost alerts, open intents, late steps, bad input."""
