"""Rights: what ARM says that an identity may do with one resource, action by action."""

import re
from collections.abc import Iterable

import msgspec

WORKSPACE = "Microsoft.MachineLearningServices/workspaces"
ENDPOINT = f"{WORKSPACE}/onlineEndpoints"
READ_ACTIONS = (
    f"{WORKSPACE}/read",  # azure-ai-ml reads the workspace before every write
    f"{ENDPOINT}/read",
    f"{ENDPOINT}/deployments/read",
    f"{ENDPOINT}/score/action",
)
WRITE_ACTION = f"{ENDPOINT}/write"


class Permission(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What one role gives, less what it excepts; patterns with `*`."""

    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()

    def allows(self, action: str) -> bool:
        """Whether this role gives the action; what it excepts another role may give."""
        return _any(self.actions, action) and not _any(self.not_actions, action)


class Rights(msgspec.Struct, frozen=True, kw_only=True):
    """All that an identity has at one resource."""

    permissions: tuple[Permission, ...] = ()

    def missing(self, actions: Iterable[str]) -> tuple[str, ...]:
        """Those of the actions that no role gives."""
        every = self.permissions
        return tuple(one for one in actions if not any(role.allows(one) for role in every))


def _any(patterns: tuple[str, ...], action: str) -> bool:
    return any(_fits(pattern, action) for pattern in patterns)


def _fits(pattern: str, action: str) -> bool:
    parts = (re.escape(part) for part in pattern.split("*"))
    return re.fullmatch(".*".join(parts), action, re.IGNORECASE) is not None
