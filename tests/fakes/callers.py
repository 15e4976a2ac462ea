"""Callers as the door makes them of valid tokens: a person or an app, with these roles."""

from shared.domain.authority.caller import AppRole, Caller, CallerKind

TENANT = "7b1f6c2e-0000-4000-8000-000000000001"
ALICE = f"{TENANT}/a11ce000-0000-4000-8000-000000000001"

BEN = f"{TENANT}/be000000-0000-4000-8000-000000000002"
PIPELINE = f"{TENANT}/b0700000-0000-4000-8000-000000000003"


def person(*roles: AppRole, id: str = ALICE, name: str = "Alice Adams") -> Caller:  # noqa: A002
    """A person whose request the door let in by the first of these roles."""
    return Caller(
        id=id, kind=CallerKind.PERSON, roles=frozenset(roles), name=name, role=_first(roles)
    )


def app(
    *roles: AppRole,
    id: str = PIPELINE,  # noqa: A002
    app_id: str = "c11e0000-0000-4000-8000-000000000001",
) -> Caller:
    """A program whose request the door let in by the first of these roles."""
    return Caller(
        id=id, kind=CallerKind.APP, roles=frozenset(roles), app_id=app_id, role=_first(roles)
    )


def _first(roles: tuple[AppRole, ...]) -> str:
    return roles[0].value if roles else ""
