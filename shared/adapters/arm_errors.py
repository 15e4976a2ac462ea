"""What the errors of azure-core mean to us: the words of `shared.adapters.endpoint`.

A status in the 4xx that says "never" is a refusal. A conflict, a throttle, a broken server or no
answer at all prove nothing about a write: it may have been applied.
"""

from typing import Any

from azure.core.exceptions import AzureError, HttpResponseError

from shared.domain.decisions.endpoint import WriteAnswer, WriteVerdict
from shared.errors import Unavailable

PART = "endpoint"
# The SDK parses an answer without checking it: a foreign body fails anyhow.
UNREADABLE = (ValueError, LookupError, TypeError, AttributeError)
_REFUSALS = frozenset({400, 401, 403, 404, 405, 422})


def status_of(error: AzureError) -> int | None:
    """The HTTP status, None where there was no answer."""
    return error.status_code if isinstance(error, HttpResponseError) else None


def _retry_after_s(error: AzureError) -> float:
    response: Any = error.response if isinstance(error, HttpResponseError) else None
    value = response.headers.get("Retry-After", "") if response is not None else ""
    return float(value) if value.isdigit() else 0.0


def _detail(error: AzureError) -> str:
    status = status_of(error)
    first_line = str(error.message).partition("\n")[0][:200]
    return f"{status}: {first_line}" if status else f"{type(error).__name__}: {first_line}"


def unavailable(error: AzureError) -> Unavailable:
    """Say that the endpoint could not be read, and when to come back."""
    return Unavailable(PART, _detail(error), retry_after_s=_retry_after_s(error) or 5.0)


def answer_to(error: AzureError) -> WriteAnswer:
    """Say what an error proves about a write: refused for good, or nothing."""
    refused = status_of(error) in _REFUSALS
    return WriteAnswer(
        verdict=WriteVerdict.REFUSED if refused else WriteVerdict.UNKNOWN,
        detail=_detail(error),
        retry_after_s=_retry_after_s(error),
    )


def unreadable(error: Exception) -> str:
    """Say that there was an answer, but none that the SDK understands."""
    return f"the answer could not be read: {error!r}"[:200]


def unknown(detail: str) -> WriteAnswer:
    """Say that only a reading can tell whether the write was applied."""
    return WriteAnswer(verdict=WriteVerdict.UNKNOWN, detail=detail)
