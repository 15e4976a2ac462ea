"""`make start`: the local world left running, to look at and to break on purpose."""
