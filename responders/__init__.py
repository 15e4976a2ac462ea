"""One file a verb, in rooms by what a reader looks for: gather, decide, do.

`alert` is the way of an alert, `repair` what a tick ends, `people` who is woken and what they do,
`watching` what runs before anything breaks, `evidence` the proof, `reading` what is shown. They do
not import one another: they meet on the bus.
"""
