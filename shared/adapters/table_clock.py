"""The table service's clock: what expiry is judged by, so that two workers' clocks may differ.

Leases, approvals and kill switches are compared with times that other workers wrote. The one clock
that all of them see is the Date header of the service that stores those times.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from azure.core.pipeline.transport import AioHttpTransport

_BY_THE_SERVICE = "x-ms-request-id"  # what stands between us has a clock of its own
RESOLUTION = timedelta(seconds=2)  # the header counts whole seconds, and the answer took a moment


def _here() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the clock that is to be corrected


class TableClock:
    """Learns from every answer how far this machine's clock is off; `skew` is added to it."""

    def __init__(self, here: Callable[[], datetime] = _here) -> None:
        self.skew = timedelta(0)
        self._here = here

    def learn(self, header: str) -> None:
        """Compare a Date header with the clock here; a header that is no date teaches nothing."""
        try:
            off = parsedate_to_datetime(header) - self._here()
        except (ValueError, TypeError, OverflowError):
            return
        self.skew = off if abs(off) > RESOLUTION else timedelta(0)


class ClockedTransport(AioHttpTransport):  # type: ignore[misc] # a lazy name without a type
    """The SDK's own transport, with a clock that sees every answer: the SDK takes no policy."""

    def __init__(self, clock: TableClock) -> None:
        # Else every request asks two other threads for a proxy and a .netrc, which costs a tenth.
        super().__init__(use_env_settings=False)
        self._clock = clock

    async def send(self, request: Any, **options: Any) -> Any:
        """Send, and learn from the answer."""
        response = await super().send(request, **options)
        if _BY_THE_SERVICE in response.headers:
            self._clock.learn(response.headers.get("Date", ""))
        return response
