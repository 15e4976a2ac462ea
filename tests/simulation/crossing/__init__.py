"""Every effect of every responder, crossed: killed before it, killed after it, unheard, refused.

`effects` reads from the code which responder can cause which effect, and from the adapters what an
effect is. `strike` plays the whole spine with one such call struck; `campaign` strikes every one of
them, those too that are only reached where something has gone wrong before.
"""
