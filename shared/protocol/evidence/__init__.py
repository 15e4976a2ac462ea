"""The ledger with its seals and holds, and the bundles that are made of it."""
