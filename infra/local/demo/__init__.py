"""`make demo`: two incidents in six acts, on real parts, in about a minute and a half."""
