"""Teams: where cards are posted, through the webhook of a Workflows flow.

The old Office 365 connectors are retired and lose messages, so their URLs are refused at start.
A posted card cannot be changed; the caller claims it before it posts.
"""

from typing import Any

from shared.adapters.webhook import Delivered, Webhook, checked
from shared.domain.redaction.redactor import Redactor
from shared.errors import Misconfigured

_RETIRED = ("webhook.office.com", "outlook.office.com", "outlook.office365.com")


class Teams:
    """One channel. The URL is a secret; raises Misconfigured for a URL that cannot work."""

    def __init__(self, url: str, redactor: Redactor | None = None) -> None:
        host = (checked(url, "teams").hostname or "").lower()
        if any(host == retired or host.endswith(f".{retired}") for retired in _RETIRED):
            raise Misconfigured(
                "the URL of teams is that of a retired Office 365 connector; make a flow with the"
                " trigger 'When a Teams webhook request is received' and use its URL"
            )
        self._webhook = Webhook(url, name="teams", part="teams", redactor=redactor)

    async def post(self, card: dict[str, Any]) -> Delivered:
        """Post a card once, in the envelope that `render_card` makes.

        Raises RejectedInput for a card that Teams will never take, Unavailable to try later.
        """
        return await self._webhook.post(card)

    async def close(self) -> None:
        """Close the connections."""
        await self._webhook.close()
