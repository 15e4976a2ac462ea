"""Sights: what somebody who knocked at a part saw, and what that says of a right.

`shared.protocol.readiness.knocking` knocks by the cheapest reading that the part has, and for the
right to write by a write that changes nothing. A part that refuses fails; one that is silent proves
nothing of a right, so that is unknown.
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
    """One knock; `detail` is the part's own word where it was not as it should be.

    `writing`: it was asked for a write that changes nothing, beside the reading.
    """

    area: Area
    name: str
    saw: Saw
    detail: str = ""
    service: str = ""
    writing: bool = False

    @property
    def check(self) -> str:
        """What its check is called: reading and writing are two rights."""
        return f"{self.name}, to write" if self.writing else self.name


_RIGHTS = {
    Area.IDENTITY: "give the app its managed identity, or sign in by `az login`",
    Area.TABLES: "grant the role of docs/operations.md on this table: run `azd provision`",
    Area.CONTAINERS: "grant the role of docs/operations.md on this container: run `azd provision`",
    Area.BUS: "grant Data Sender on the topic, Data Receiver on the subscription: `azd provision`",
    Area.LOGS: "grant Log Analytics Data Reader on the workspace: run `azd provision`",
    Area.ENDPOINTS: "grant the roles of docs/operations.md on this endpoint: run `azd provision`",
    Area.SIGNING: "grant Key Vault Crypto User on the key: run `azd provision`",
    Area.RULES: "grant Monitoring Reader on this subscription: run `azd provision`",
    Area.SEARCH: "grant Search Index Data Reader on the search service: run `azd provision`",
    Area.VAULT: "grant Key Vault Secrets User on the app's own vault: run `azd provision`",
    Area.TELEMETRY: "grant Monitoring Metrics Publisher on Application Insights: `azd provision`",
}
_RIGHTS_TO_WRITE = {
    Area.TABLES: "grant Storage Table Data Contributor on this table: run `azd provision`",
    Area.CONTAINERS: "grant Backstop Evidence Writer on this container: run `azd provision`",
}
_MAKE = {
    Area.TABLES: "make it: run `azd provision`",
    Area.CONTAINERS: "make it: run `azd provision`",
    Area.BUS: "make it as infra/servicebus.json has it: run `azd provision`",
    Area.ENDPOINTS: "mend the target in the service's file, or make the endpoint",
    Area.SEARCH: "mend the index's name in the service's file, or make the index",
    Area.WEBHOOK: "deploy the responder, and set BACKSTOP_PUBLIC_URL to where it is",
}
_AGAIN = "look whether it is up and can be reached from here, then run the check again"


def judge_sight(sight: Sight, *, by_the_app: bool = True) -> Check:
    """What a sight proves; a refusal proves nothing of the app where somebody else knocked."""
    area, name, service = sight.area, sight.check, sight.service
    match sight.saw:
        case Saw.THERE:
            return passed(area, name, _there(sight), service)
        case Saw.MISSING:
            said = f"{sight.name} does not exist"
            return failed(area, name, said, _MAKE.get(area, _AGAIN), service)
        case Saw.REFUSED if by_the_app:
            said = f"{_refuses(sight)} this identity: {sight.detail}"
            rights = _RIGHTS_TO_WRITE if sight.writing else _RIGHTS
            return failed(area, name, said, rights.get(area, _AGAIN), service)
        case Saw.REFUSED:
            said = f"{_refuses(sight)} you, which says nothing of the app: {sight.detail}"
            return unknown(area, name, said, "read the app's own report below", service)
        case Saw.UNSET:
            return failed(area, name, sight.detail, "set it: docs/operations.md", service)
        case Saw.SILENT:
            said = f"{sight.name} could not be asked: {sight.detail}"
            return unknown(area, name, said, _AGAIN, service)


def _there(sight: Sight) -> str:
    return f"{sight.name} may be written; nothing was" if sight.writing else f"{sight.name} answers"


def _refuses(sight: Sight) -> str:
    return f"{sight.name} refuses writes of" if sight.writing else f"{sight.name} refuses"
