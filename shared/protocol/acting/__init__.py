"""The one road to an endpoint's traffic: may it, do it once, read it back, prove it by probes."""
