"""Sights: what somebody who knocked at a part saw, and what that says of a right.

`shared.protocol.readiness` knocks by the cheapest reading that the part has. A part that refuses
fails; one that is silent proves nothing of a right, so that is unknown.
"""

from enum import StrEnum

import msgspec

from shared.domain.readiness.check import Area, Check, failed, passed, unknown


class Saw(StrEnum):
    """What came of it."""

    THERE = "there"
    REFUSED = "refused"
    MISSING = "missing"
    SILENT = "silent"
    UNSET = "unset"  # no setting says where it is


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """One knock; `detail` is the part's own word where it was not as it should be."""

    area: Area
    name: str
    saw: Saw
    detail: str = ""
    service: str = ""


_RIGHTS = {
    Area.IDENTITY: "give the app its managed identity, or sign in by `az login`",
    Area.TABLES: "grant the role of docs/operations.md on this table: run `azd provision`",
    Area.CONTAINERS: "grant the role of docs/operations.md on this container: run `azd provision`",
    Area.BUS: "grant Data Sender on the topic, Data Receiver on the subscription: `azd provision`",
    Area.LOGS: "grant Log Analytics Data Reader on the workspace: run `azd provision`",
    Area.ENDPOINTS: "grant the roles of docs/operations.md on this endpoint: run `azd provision`",
    Area.SIGNING: "grant Key Vault Crypto User on the key: run `azd provision`",
    Area.RULES: "grant Monitoring Reader on this subscription: run `azd provision`",
}
_MAKE = {
    Area.TABLES: "make it: run `azd provision`",
    Area.CONTAINERS: "make it: run `azd provision`",
    Area.BUS: "make it as infra/servicebus.json has it: run `azd provision`",
    Area.ENDPOINTS: "mend the target in the service's file, or make the endpoint",
    Area.WEBHOOK: "deploy the responder, and set BACKSTOP_PUBLIC_URL to where it is",
}
_AGAIN = "look whether it is up and can be reached from here, then run the check again"


def judge_sight(sight: Sight, *, by_the_app: bool = True) -> Check:
    """What a sight proves; a refusal proves nothing of the app where somebody else knocked."""
    area, name, service = sight.area, sight.name, sight.service
    match sight.saw:
        case Saw.THERE:
            return passed(area, name, f"{name} answers", service)
        case Saw.MISSING:
            return failed(area, name, f"{name} does not exist", _MAKE.get(area, _AGAIN), service)
        case Saw.REFUSED if by_the_app:
            said = f"{name} refuses this identity: {sight.detail}"
            return failed(area, name, said, _RIGHTS.get(area, _AGAIN), service)
        case Saw.REFUSED:
            said = f"{name} refuses you, which says nothing of the app: {sight.detail}"
            return unknown(area, name, said, "read the app's own report below", service)
        case Saw.UNSET:
            return failed(area, name, sight.detail, "set it: docs/operations.md", service)
        case Saw.SILENT:
            said = f"{name} could not be asked: {sight.detail}"
            return unknown(area, name, said, _AGAIN, service)
