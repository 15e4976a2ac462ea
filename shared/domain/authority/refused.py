"""Why a call is not let in. The reasons are for the log and the ledger, never for the caller.

Outside only the family is told: no valid token (401), or a valid one whose roles do not suffice
(403). Which check failed would tell an attacker what to try next.
"""

from enum import StrEnum


class Reason(StrEnum):
    """One check that failed. The names are stable: change events carry them."""

    NO_TOKEN = "no-token"  # noqa: S105 - a reason, no password
    TOO_LONG = "token-too-long"
    MALFORMED = "malformed"
    WRONG_ALGORITHM = "wrong-algorithm"
    UNKNOWN_KEY = "unknown-key"
    WRONG_SIGNATURE = "wrong-signature"
    WRONG_CLAIMS = "wrong-claims"
    WRONG_ISSUER = "wrong-issuer"
    WRONG_TENANT = "wrong-tenant"
    WRONG_AUDIENCE = "wrong-audience"
    MIXED_FORMS = "mixed-forms"
    NO_OBJECT = "no-object"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    NEITHER_PERSON_NOR_APP = "neither-person-nor-app"
    NOT_ALLOWED = "not-allowed"  # the token is valid: its roles do not open this route
    FOREIGN_PAGE = "foreign-page"  # the session is valid: another site's page makes use of it
    NOT_THEIRS = "not-theirs"  # the role would do: this very thing is another person's to do
