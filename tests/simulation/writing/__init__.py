"""The write protocol alone, from a diagnosed incident on, under many schedules and faults.

`stage` gives turns to workers without an event loop, so that a run takes about a millisecond. What
they work on is in `parts`, `endpoints` and `scene`, what they do in `workers`, what goes wrong in
`schedule`, what must hold in `witness` and `rest`. `play` runs one schedule, `explore` all of a
small scene; `shrink` makes a failing one short and `replay` tells it.
"""
