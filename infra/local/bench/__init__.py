"""`make bench`: the figures, each a ratio within one run, on the same real parts as the demo.

`__main__` runs the benchmarks by name, one file each; `figure` is what they answer, `report` how it
is shown and kept. `cast` and `simulated` are the world that those with a world play in.
"""
