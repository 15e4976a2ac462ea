"""What went wrong, said so that the shell knows what the host should do.

Expected outcomes (a refusal, a hold, a failed probe) are values, not exceptions. Adapters turn the
errors of their SDKs into these at their door, so that nothing else needs to know an SDK.
"""


class BackstopError(Exception):
    """Base of all our exceptions; never raised itself."""


class RejectedInput(BackstopError):
    """The input can never be accepted: answer 400, or quarantine the message.

    `reason` is a stable kebab-case code, `detail` a sentence that says what to change.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class Unavailable(BackstopError):
    """A part does not answer now: answer 503 with Retry-After, or schedule a retry.

    `part` is one of tables, blobs, vault, bus, logs, endpoint, alerts, teams, pager, sign-in,
    search, telemetry, control-plane.
    """

    def __init__(self, part: str, detail: str, retry_after_s: float = 5.0) -> None:
        super().__init__(f"{part} is unavailable: {detail}")
        self.part = part
        self.detail = detail
        self.retry_after_s = retry_after_s


class Refused(Unavailable):
    """The part answers, and says that this identity may not: a right is missing."""


class Unreadable(Unavailable):
    """A row is there and nothing that this version knows: it does not end by itself."""

    def __init__(self, part: str, row: str, detail: str) -> None:
        super().__init__(part, f"row {row} cannot be read: {detail}"[:300])
        self.row = row


class Missing(Unavailable):
    """The part answers, and what was asked of it is not there."""


class Conflict(BackstopError):
    """Somebody else changed the same rows first: read again and decide again."""


class NotAllowed(BackstopError):
    """The caller may not do this, though the role would do: answer 403 with the reason."""


class NotFound(BackstopError):
    """The thing that was asked for does not exist: answer 404."""


class Misconfigured(BackstopError):
    """A setting is missing or not understood: refuse to start, and name the setting."""
