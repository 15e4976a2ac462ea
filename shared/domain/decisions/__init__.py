"""Decisions: may the traffic move, to what, and how does a move that was begun go on."""
