"""The ledger: records in chains of hashes, heads under a signed seal, and their verification."""
