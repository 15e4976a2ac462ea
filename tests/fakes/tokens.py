"""Tokens without signatures: each is worth its caller, and no other is worth anything."""

from datetime import datetime

from shared.domain.authority.caller import Caller
from shared.domain.authority.claims import Channel
from shared.domain.authority.refused import Reason


class FakeTokens:
    """What `shared.adapters.tokens.Tokens` answers, for tokens that a test has handed out."""

    def __init__(self, **given: Caller) -> None:
        self._given = given

    async def caller_of(
        self,
        token: str,
        channel: Channel,  # noqa: ARG002 - as the real ones
        now: datetime,  # noqa: ARG002
    ) -> Caller | Reason:
        return self._given.get(token, Reason.MALFORMED)

    async def close(self) -> None:
        """Nothing is held."""
