"""The doorbell: who calls an address of ours without a token learns whether somebody is there.

Asked by the readiness probe: the responder must refuse such a call. Nothing is sent, no redirect is
followed, and the answer's body is not read.
"""

import aiohttp

TIMEOUT_S = 10.0


class Doorbell:
    """Rings at an address and hears the status of the answer."""

    async def ring(self, url: str) -> int | None:
        """The status of a GET without a token; None where nobody answers."""
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.get(url, allow_redirects=False) as answer,
            ):
                return answer.status
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return None
