"""Callers: who sent a request, as their token proved it.

The door (`shared.protocol.door.admit`) makes one of every valid token and hands it to the responder
with the request. Identity is the tenant and object id of a token, never a name that people can
change.
"""

import re
from enum import StrEnum

import msgspec

_GUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_ID = re.compile(f"{_GUID}/{_GUID}")


class AppRole(StrEnum):
    """The roles that a tenant gives out for Backstop, by the value that tokens carry."""

    RESPONDER = "Responder"  # see, acknowledge, diagnose, ask for a rollback
    APPROVER = "Approver"  # decide about plans
    COMMANDER = "Commander"  # kill switch, freeze, severity, emergencies
    AUDITOR = "Auditor"  # read everything, export evidence, hold records
    DEPLOYER = "Deployer"  # pipelines: register releases
    SIGNAL = "Signal"  # services: tell of breaches
    WEBHOOK = "ActionGroupsSecureWebhook"  # Azure Monitor


class CallerKind(StrEnum):
    """Whether a person or a program calls; a token says which."""

    PERSON = "person"
    APP = "app"


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who calls. `id` is "tenant/object" of a person or of an app; `name` is for reading only.

    `app_id` is the client id of the app that asked for the token. `role` is the one by which the
    door let this request in: what a change event says beside the actor.
    """

    id: str
    kind: CallerKind
    roles: frozenset[AppRole]
    name: str = ""
    app_id: str = ""
    role: str = ""

    @property
    def is_person(self) -> bool:
        """Whether a human being asked."""
        return self.kind is CallerKind.PERSON


def is_caller_id(text: str) -> bool:
    """Whether a text is the id of a person or an app, as tokens prove it: "tenant/object"."""
    return _ID.fullmatch(text) is not None
