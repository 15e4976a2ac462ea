"""The token of an approval's form: a POST comes from a page that showed this plan to this person.

Bound to the caller, the plan and the request, which bounds its life: HMAC-SHA256 under a key that
lies with the request and is shown nowhere. It adds to role and origin, and replaces neither.
"""

import hashlib
import hmac

from shared.domain.approvals.approval import ApprovalRequest
from shared.domain.authority.caller import Caller


def make_token(request: ApprovalRequest, caller: Caller) -> str:
    """The token for one person and one request: 64 hex digits."""
    said = (request.id, request.nonce, request.expires_at.isoformat(), caller.id)
    return hmac.new(request.key.encode(), "\0".join(said).encode(), hashlib.sha256).hexdigest()


def is_token(token: str, request: ApprovalRequest, caller: Caller) -> bool:
    """Whether it is theirs; a request without a key has none that is valid."""
    expected = make_token(request, caller)
    return bool(request.key) and hmac.compare_digest(token.encode(), expected.encode())
