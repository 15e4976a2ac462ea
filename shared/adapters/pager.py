"""The pager: PagerDuty's Events v2, and a plain webhook for when that does not answer.

A page must reach somebody: what PagerDuty cannot take now goes to the webhook at once, and the
answer says who accepted. So does what it refuses: a wrong key is our mistake, and no reason for
nobody to wake.
"""

import logging
from typing import Any

from shared.adapters.webhook import Delivered, Webhook
from shared.domain.redaction.redactor import Redactor
from shared.domain.views.page import webhook_body
from shared.errors import Misconfigured, RejectedInput, Unavailable

log = logging.getLogger("backstop.pager")


class Pager:
    """The way to wake a person. Either URL may be empty, not both; raises Misconfigured."""

    def __init__(self, url: str, fallback_url: str = "", redactor: Redactor | None = None) -> None:
        if not url and not fallback_url:
            raise Misconfigured("neither a pager nor a fallback webhook is set")
        self._pager = Webhook(url, name="pager", part="pager", redactor=redactor) if url else None
        self._fallback = (
            Webhook(fallback_url, name="webhook", part="pager", redactor=redactor)
            if fallback_url
            else None
        )

    async def send(self, body: dict[str, Any]) -> Delivered:
        """Send what `render_page` made; raises RejectedInput, or Unavailable to try later."""
        if self._pager is None:
            return await self._send_fallback(body, Unavailable("pager", "no pager is set"))
        try:
            return await self._pager.post(body)
        except Unavailable as trouble:
            return await self._send_fallback(body, trouble)
        except RejectedInput as refusal:
            if self._fallback is None:
                raise
            log.error("the pager refuses a page, the webhook gets it: %s", refusal)  # noqa: TRY400
            return await self._send_fallback(body, Unavailable("pager", refusal.detail))

    async def _send_fallback(self, body: dict[str, Any], trouble: Unavailable) -> Delivered:
        if self._fallback is None:
            raise trouble
        try:
            return await self._fallback.post(webhook_body(body))
        except RejectedInput as refusal:
            # The pager itself may still take the page later, so this is no verdict on the page.
            raise Unavailable("pager", refusal.detail, trouble.retry_after_s) from None

    async def close(self) -> None:
        """Close the connections."""
        for webhook in (self._pager, self._fallback):
            if webhook is not None:
                await webhook.close()
