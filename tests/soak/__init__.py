"""The soak: every battery played many times over, and processes that are really killed.

`batteries` runs the tests that grow with BACKSTOP_SOAK, `tally` counts them while they run, `kills`
plays the kill -9 soak in the local world, `report` keeps and shows what came of it.
"""
