"""The redactor: the one mechanism through which everything goes that is stored or sent.

Text goes through the detectors, JSON through the same member by member, and JSON that lies in a
text of that as JSON again. What is found becomes a token such as [email:3f2a91bc]: equal values
have equal tokens under one key, and without the key no token leads to anybody.
"""

import hashlib
import hmac
import re
from functools import lru_cache
from typing import Any

import msgspec

from shared.domain.redaction.detector import Detector, glance
from shared.domain.redaction.personal import PERSONAL
from shared.domain.redaction.secrets import NAMED_KEY, SECRETS

type Detectors = tuple[Detector, ...]

DETECTORS: Detectors = (*SECRETS, *PERSONAL)
# Asked for all at once first: nearly every row has none of them. What holds another need not be.
_EVERY = {hint for one in DETECTORS for hint in one.hints}
_HINTS = tuple(hint for hint in _EVERY if not any(less in hint for less in _EVERY - {hint}))
DIGITS = 8  # of a token: two of 10,000 values share one with a probability of one per cent
PASSES = 4
FEWEST_LETTERS = 20  # the shortest secret of letters alone: the marks of all others are none
LONGEST_NAME = 40  # of a member that is remembered where it holds nothing
NESTED = 8  # JSON in a text of JSON in a text ...; deeper down it is looked at as a text

_MARKS = re.compile(r"[^0-9A-Za-z]")
_NUMBERS = frozenset({"card", "iban", "ssn", "phone"})
_OF_DIGITS = _NUMBERS | {"ip"}
SECRET_MEMBERS = frozenset(
    {
        *("password", "passwd", "passphrase", "pwd", "secret", "clientsecret", "authorization"),
        *("proxyauthorization", "cookie", "setcookie", "xapikey", "apikey", "accesstoken"),
        *("refreshtoken", "idtoken", "authtoken", "xfunctionskey", "accountkey", "privatekey"),
        *("ocpapimsubscriptionkey", "subscriptionkey", "sharedaccesskey", "connectionstring"),
        *("sharedaccesssignature", "xmsclientprincipal", "xmstokenaadidtoken", "routingkey"),
        *("xmstokenaadaccesstoken", "integrationkey", "sastoken"),
    }
)
# Each of those names has one of these in it; "key" alone is in every row.
_ROOTS = (
    *("passw", "pass_", "pass-", "passphrase", "pwd", "secret", "cookie", "token", "signature"),
    *("authorization", "string", "principal"),
)
_MEMBER = re.compile(r'"([\w -]{3,40})\\{0,9}"\s{0,9}:')
_TOKEN = re.compile(r"\[[a-z]{2,8}(?::[0-9a-f]{8})?\]")
# Members that name a version or hold a digest of ours: 1.2.3.4 is no address there, and one digest
# of sixteen digits in 60,000 would be a card's number.
_OPAQUE = frozenset(
    {
        *("version", "deployment", "model", "model_artifact", "prompt_revision"),
        *("dataset_version", "index_version", "flags_version", "configuration_digest"),
        *("hash", "policy_hash", "plan_hash", "previous_hash", "fingerprint", "digest"),
        *("delivery_key", "correlation_key", "correlation_keys", "firing", "plan", "etag"),
    }
)
_BYTES = "content"  # bytes in base64, redacted before they became that


class Redactor(msgspec.Struct, frozen=True, kw_only=True):
    """Replaces what is secret or personal. Without a key tokens say of which kind it was, only."""

    key: bytes = b""

    def text(self, text: str) -> str:
        """The text with tokens; the same where it holds nothing, at most five times as long."""
        return self._redacted(text, NESTED, _active(text, DETECTORS))

    def flat(self, text: str) -> str:
        """The text with tokens, even where it is JSON: nothing else in it is written anew."""
        return self._redacted(text, 0, _active(text, DETECTORS))

    def json(self, text: str) -> str:
        """JSON with tokens; it stays JSON, and the very same where it holds nothing."""
        try:
            _assure_nothing_in(text, DETECTORS)
        except _MayHoldSomething as seen:
            detectors = seen.by
        else:
            return text  # as good as every row
        was = msgspec.json.decode(text)
        if not detectors:  # or an escape hides it
            detectors = _active(msgspec.json.encode(was).decode(), DETECTORS)
        clean = self._value(was, "", NESTED, detectors)
        return text if clean == was else msgspec.json.encode(clean).decode()

    def value(self, value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
        """A value of JSON with tokens in all its texts, names of members included."""
        text = msgspec.json.encode(value).decode()
        clean = self.json(text)
        return value if clean == text else msgspec.json.decode(clean)

    def struct[T: msgspec.Struct](self, struct: T) -> T:
        """A value of ours with tokens in all its texts."""
        text = msgspec.json.encode(struct).decode()
        clean = self.json(text)
        return struct if clean == text else msgspec.json.decode(clean, type=type(struct))

    def token(self, kind: str, value: str) -> str:
        """The token of a value: equal for all the ways in which the same is written."""
        if not self.key:
            return f"[{kind}]"
        same = _MARKS.sub("", value) if kind in _NUMBERS else value.replace("%40", "@")
        said = f"{kind}\0{same.lower()}".encode("utf-8", "surrogatepass")
        return f"[{kind}:{hmac.new(self.key, said, hashlib.sha256).hexdigest()[:DIGITS]}]"

    def _value(self, value: Any, name: str, depth: int, by: Detectors) -> Any:  # noqa: ANN401
        match value:
            case str():
                return self._named(value, name, depth, by)
            case dict():
                return {
                    self._member(member, by): self._value(one, member, depth, by)
                    for member, one in value.items()
                }
            case list():
                return [self._value(one, name, depth, by) for one in value]
            case _:
                return value

    def _named(self, text: str, name: str, depth: int, by: Detectors) -> str:
        """The text of a member, which may be secret by the member's name alone."""
        if name == _BYTES or not text:
            return text
        if _is_secret(name) and not _TOKEN.fullmatch(text):
            return self.token("secret", text)
        if name in _OPAQUE:
            by = tuple(one for one in by if one.kind not in _OF_DIGITS)
        return self._redacted(text, depth, by)

    def _member(self, name: str, by: Detectors) -> str:
        """A member's own name."""
        return name if len(name) <= LONGEST_NAME and _is_clean(name) else self._settled(name, by)

    def _redacted(self, text: str, depth: int, by: Detectors) -> str:
        if depth and text[0:1] in ("{", "[", '"'):
            nested = self._nested(text, depth, by)
            if nested is not None:
                return nested
        return self._settled(text, by)

    def _nested(self, text: str, depth: int, by: Detectors) -> str | None:
        """The text with tokens where it is JSON; None where it is not."""
        try:
            inner = msgspec.json.decode(text)
            clean = self._value(inner, "", depth - 1, by)
        except (msgspec.DecodeError, RecursionError):
            return None
        return text if clean == inner else msgspec.json.encode(clean).decode()

    def _settled(self, text: str, by: Detectors) -> str:
        """The text once nothing more is found: a token may lay bare what stood too close to it."""
        if len(text) < FEWEST_LETTERS and text.isalpha():
            return text  # as good as every member's name
        clean = self._flat(text, by if by is not DETECTORS else _asked(text, by))
        for _ in range(PASSES):
            if clean == text:
                break
            text, clean = clean, self._flat(clean, _asked(clean, DETECTORS))
        return clean

    def _flat(self, text: str, by: Detectors) -> str:
        for detector in by:
            if detector.pattern.search(text):  # half the price of replacing nothing
                text = detector.replace(text, self.token)
        return text


class _MayHoldSomething(Exception):
    """A text that has to be looked at: by which detectors, where that is known."""

    def __init__(self, by: Detectors) -> None:
        super().__init__()
        self.by = by


# What is stored and sent comes here more than once: as an event, in its row, from several workers.
# An exception is not cached, so that no text is remembered which holds anything.
@lru_cache(maxsize=256)
def _assure_nothing_in(text: str, by: Detectors) -> None:
    """Raises _MayHoldSomething for JSON that a detector, or a member's name, asks to look into."""
    escaped = "\\u" in text
    active = () if escaped else _active(text, by)
    if escaped or active or _names_a_secret(text):
        raise _MayHoldSomething(active)


def _is_clean(name: str) -> bool:
    """Whether no pattern is found in a member's name."""
    try:
        _assure_clean(name)
    except _MayHoldSomething:
        return False
    return True


@lru_cache(maxsize=1024)  # as with rows
def _assure_clean(name: str) -> None:
    """Raises _MayHoldSomething for a member's name in which a pattern is found."""
    found = tuple(one for one in _asked(name, DETECTORS) if one.pattern.search(name))
    if found:
        raise _MayHoldSomething(found)


BARE = Redactor()  # where there is no key: for this machine, and for what fails before there is one


def _active(text: str, by: Detectors) -> Detectors:
    """Those that may find something in JSON, or in a text; all where an escape may hide it.

    Without any escape a member's text lies there as it is, so that the patterns can be asked, too.
    """
    if "\\u" in text:
        return by
    asked = _asked(text, by)
    return asked if "\\" in text else tuple(one for one in asked if one.pattern.search(text))


def _asked(text: str, by: Detectors) -> Detectors:
    """Those whose pattern must be tried on this very text."""
    seen = glance(text)
    if any(map(seen.lowered.__contains__, _HINTS)):
        return tuple([one for one in by if one.may_match(seen)])
    return tuple([one for one in _unhinted(by) if one.may_match_unhinted(seen)])


@lru_cache(maxsize=8)
def _unhinted(by: Detectors) -> Detectors:
    """Those that may match a text in which there is no hint."""
    return tuple(one for one in by if one.named or one.shapes or one.probe)


def _names_a_secret(text: str) -> bool:
    lowered = text.lower()
    if not (any(map(lowered.__contains__, _ROOTS)) or NAMED_KEY.search(lowered)):
        return False
    return any(map(_is_secret, _MEMBER.findall(text)))


@lru_cache(maxsize=1024)  # rows have the same few members
def _is_secret(member: str) -> bool:
    return _MARKS.sub("", member).lower() in SECRET_MEMBERS
