"""The local issuer: signs the tokens that Microsoft Entra would, for the people and programs here.

Its key is made at every start and opens nothing but the local world. Where an app runs in Azure the
setting that names this issuer is refused.
"""
