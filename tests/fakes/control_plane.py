"""The control plane and the doorbell in memory: rights, rules, and a door that refuses."""

from typing import override

from shared.adapters.control_plane import ControlPlane
from shared.adapters.doorbell import Doorbell
from shared.domain.readiness.rights import Permission, Rights
from shared.errors import BackstopError
from tests.fakes.turns import Turns

ALL = Rights(permissions=(Permission(actions=("*",)),))


class FakeControlPlane(ControlPlane):
    """`given` are the rights by target, else all; `rules` by subscription; `trouble` is raised.

    `posted_to` is where action groups post, `stranger` is raised where a token is asked for.
    """

    def __init__(self, turns: Turns) -> None:
        self.given: dict[str, Rights] = {}
        self.rules: dict[str, frozenset[str]] = {}
        self.posted_to = frozenset({"https://backstop.example/api/alerts"})
        self.trouble: BackstopError | None = None
        self.stranger: BackstopError | None = None
        self._turns = turns

    @override
    async def identify(self) -> None:
        await self._turns.take("control_plane.identify")
        if self.stranger is not None:
            raise self.stranger

    @override
    async def rights(self, scope: str) -> Rights:
        await self._turns.take("control_plane.rights")
        if self.trouble is not None:
            raise self.trouble
        return self.given.get(scope, ALL)

    @override
    async def alert_rules(self, subscription: str) -> frozenset[str]:
        await self._turns.take("control_plane.alert_rules")
        if self.trouble is not None:
            raise self.trouble
        return self.rules.get(subscription, frozenset())

    @override
    async def webhooks(self, subscription: str) -> frozenset[str]:
        await self._turns.take("control_plane.webhooks")
        if self.trouble is not None:
            raise self.trouble
        return self.posted_to

    @override
    async def close(self) -> None:
        return None


class FakeDoorbell(Doorbell):
    """Answers `status`; `rung` are the addresses that somebody rang at."""

    def __init__(self, turns: Turns) -> None:
        self.status: int | None = 401
        self.rung: list[str] = []
        self._turns = turns

    @override
    async def ring(self, url: str) -> int | None:
        await self._turns.take("doorbell.ring")
        self.rung.append(url)
        return self.status
