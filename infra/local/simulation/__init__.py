"""The process that plays Azure: bus, logs, Foundry, inbox, the customers and the alert rule."""
