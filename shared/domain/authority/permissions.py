"""The table of who may call what: every route by its name, with the roles that it is open to.

The one place that grants anything. The door (`shared.protocol.door.admit`) asks it after the token
has proved who calls; a route without a row is closed to everybody. A row "route/action" holds for
that action of a route and takes the place of the route's own.
"""

import msgspec

from shared.domain.authority.caller import AppRole, Caller

AZURE_MONITOR = "461e8683-5575-4561-ac7f-899cc907d62a"  # "AzNS AAD Webhook", in every tenant
EVERYBODY_INSIDE = (AppRole.RESPONDER, AppRole.APPROVER, AppRole.COMMANDER, AppRole.AUDITOR)
ON_DUTY = (AppRole.RESPONDER, AppRole.APPROVER, AppRole.COMMANDER)


class Permission(msgspec.Struct, frozen=True, kw_only=True):
    """Which roles open a route to people and which to programs.

    `client` is the only program that may come as an app, by its client id, where one is named.
    `public`: no token is asked for. That is for what holds no data, and is said nowhere else.
    """

    people: tuple[AppRole, ...] = ()
    apps: tuple[AppRole, ...] = ()
    client: str = ""
    public: bool = False


class Gate(msgspec.Struct, frozen=True, kw_only=True):
    """One route as the door knows it. `is_page`: people look at it, so refusals are pages."""

    name: str
    is_page: bool = False


CLOSED = Permission()
PUBLIC = Permission(public=True)
READ = Permission(people=EVERYBODY_INSIDE, apps=EVERYBODY_INSIDE)
HANDLE = Permission(people=ON_DUTY)
ASK = Permission(people=(AppRole.RESPONDER, AppRole.COMMANDER))
APPROVE = Permission(people=(AppRole.APPROVER, AppRole.COMMANDER))
COMMAND = Permission(people=(AppRole.COMMANDER,))
REVIEW = Permission(people=(AppRole.COMMANDER, AppRole.AUDITOR))
ALERT = Permission(apps=(AppRole.WEBHOOK,), client=AZURE_MONITOR)
SIGNAL = Permission(apps=(AppRole.SIGNAL,))  # and only for the service that names the app
AUDIT = Permission(people=(AppRole.AUDITOR,), apps=(AppRole.AUDITOR,))
AUDIT_BY_HAND = Permission(people=(AppRole.AUDITOR,))
RELEASE = Permission(people=(AppRole.COMMANDER,), apps=(AppRole.DEPLOYER,))

PERMISSIONS: dict[str, Permission] = {
    "ingest": ALERT,
    "take_signal": SIGNAL,
    "show_delivery": READ,
    "show_health": READ,
    "show_incidents": READ,
    "show_incident": READ,
    "show_affected": READ,
    "handle": HANDLE,
    "handle/severity": COMMAND,
    "handle/reported": COMMAND,
    "show_changes": READ,
    "register": RELEASE,
    "show_releases": READ,
    "show_difference": READ,
    "show_release": READ,
    "show_lineage": READ,
    "show_kill_switch": READ,
    "set_kill_switch": COMMAND,
    "show_freezes": READ,
    "set_freeze": COMMAND,
    "show_slos": READ,
    "show_readiness": READ,
    "show_reviews": READ,
    "close_review": REVIEW,
    "show_quarantine": READ,
    "resubmit": COMMAND,
    "discard": COMMAND,
    "ask": ASK,
    "show_approvals": READ,
    "answer_approval": APPROVE,
    "describe": READ,
    "order_evidence": AUDIT,
    "show_orders": AUDIT,
    "hand_out": AUDIT,
    "show_holds": AUDIT,
    "place_hold": AUDIT_BY_HAND,
    "lift_hold": AUDIT_BY_HAND,
    "show_home": READ,
    "show_incident_page": READ,
    "press_incident": HANDLE,
    "press_incident/severity": COMMAND,
    "press_incident/reported": COMMAND,
    "show_quarantine_page": READ,
    "show_evidence_page": AUDIT,
    "press_evidence": AUDIT_BY_HAND,
    "press_hold": AUDIT_BY_HAND,
    "press_lift": AUDIT_BY_HAND,
    "show_releases_page": READ,
    "show_approval_page": READ,
    "show_readiness_page": READ,
    "show_slos_page": READ,
    "press_approval": APPROVE,
    "press_rollback": ASK,
    "press_kill_switch": COMMAND,
    "press_freeze": COMMAND,
    "press_review": REVIEW,
    "press_resubmit": COMMAND,
    "press_discard": COMMAND,
    "show_asset": PUBLIC,
}


def permission_of(route: str, action: str = "") -> Permission:
    """The row for a route, or for one action of it; a route that has none is closed."""
    own = PERMISSIONS.get(route, CLOSED)
    return PERMISSIONS.get(f"{route}/{action}", own) if action else own


def role_of(caller: Caller, permission: Permission) -> AppRole | None:
    """The role by which this caller is let in, the first that the table names; None is a no."""
    roles = permission.people if caller.is_person else permission.apps
    if permission.client and caller.app_id != permission.client:
        return None
    return next((role for role in roles if role in caller.roles), None)


def may(caller: Caller | None, route: str, action: str = "") -> bool:
    """Whether the door would let this caller in: by this pages show a form or a link, or none."""
    return caller is not None and role_of(caller, permission_of(route, action)) is not None
