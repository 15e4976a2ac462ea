"""`make demo`: one incident in four acts, on real parts, in about a minute."""
