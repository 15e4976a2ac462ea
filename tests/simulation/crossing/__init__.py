"""Every effect of every responder, crossed: killed before it, killed after it, unheard, refused.

`effects` reads from the code which responder can cause which effect, and from the adapters what an
effect is. `strike` plays the whole spine with some of its calls struck, which `ways` tells apart by
who made them; `campaign` strikes every one of them, those too that are only reached where something
has gone wrong before. What the spine has no cause for is in `scenes`, `approvals`, `authority` and
`evidence`, and `jobs` strikes that.
"""
