"""What proves afterwards who did what: the ledger, its seals, holds, purges and bundles."""
