"""The way in and out of a route: who calls, who is turned away, what a page and a log line show."""
