"""What the deployment needs besides code, made from the catalog: `make generate` writes it."""
