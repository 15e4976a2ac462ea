"""Secrets and personal data that are sown everywhere, one for each detector, to be looked for.

Each is made so that no other detector takes it: whoever takes a detector away finds its seed.
None is anybody's: card, account and telephone numbers are examples of those who issue them.
"""

import msgspec


class Seed(msgspec.Struct, frozen=True, kw_only=True):
    """`text` is what is sown, `secret` the part of it that must not be found anywhere."""

    text: str
    secret: str


def _seed(text: str, secret: str = "") -> Seed:
    return Seed(text=text, secret=secret or text)


_JWT = "eyJhbGciOiJSUzI1NiJ9.eyJ1cG4iOiJraW0uaG9sZGVyIn0.c2lnbmVkLWJ5LW5vYm9keQ"
_KEY = "Zm9sbG93dGhlc3VuYW5kdGhlbW9vbmFuZGFsbHRoZXN0YXJzdGhhdHNoaW5lb250aGV3YXZlc29mdGhlc2VhMDE"

SEEDS: dict[str, Seed] = {
    "private key": _seed(
        "-----BEGIN RSA PRIVATE KEY----- MIIEowIBAAKCAQEA7 -----END RSA PRIVATE KEY-----",
        "MIIEowIBAAKCAQEA7",
    ),
    "token of JSON (JWT)": _seed(_JWT, "eyJ1cG4iOiJraW0uaG9sZGVyIn0"),
    "secret in a webhook's path": _seed(
        "hooks: https://hooks.slack.com/services/T0SEED/B0SEED/q1w2e3r4t5", "q1w2e3r4t5"
    ),
    "password in a URL": _seed("amqps://svc:tr0ub4dor@broker:5671", "tr0ub4dor"),
    "bearer or basic credentials": _seed("sent Bearer 9f8e7d6c5b4a39281706", "9f8e7d6c5b4a3928"),
    "signature of a URL": _seed("se=2026&sig=dGhlIHRpZGUgdHVybnM%3D&sp=r", "dGhlIHRpZGUgdHVybnM"),
    "key of a URL": _seed("GET /api/x?code=QkFDS1NUT1BTRUVEMDE", "QkFDS1NUT1BTRUVEMDE"),
    "named secret": _seed("password: correct-horse-battery", "correct-horse-battery"),
    "account key": _seed(f"the key {_KEY[:86]}== was used", _KEY[:60]),
    "key with its issuer's mark": _seed("ghp_seedseedseedseedseedseedseedseed0001"),
    "key of Azure": _seed("app abc8Q~seed.seed-seed.seed-seed.seed-se01", "seed.seed-seed"),
    "key of PagerDuty": _seed("pager u+seedSEEDseedSEED01", "u+seedSEEDseedSEED01"),
    "e-mail address": _seed("kim.holder@claimant.example"),
    "payment card": _seed("4111 1111 1111 1111"),
    "bank account (IBAN)": _seed("GB82 WEST 1234 5698 7654 32"),
    "US social security number": _seed("078-05-1120"),
    "US social security number by its name": _seed("SSN 219099999", "219099999"),
    "telephone number": _seed("+46 70 123 45 67"),
    "telephone number with zeros for the plus": _seed("0046 70 765 43 21"),
    "telephone number of North America": _seed("call (415) 555-2671", "555-2671"),
    "IP address of version 4": _seed("from 203.0.113.77 again", "203.0.113.77"),
    "IP address of version 6": _seed("from 2001:db8:85a3::8a2e:370:7334", "2001:db8:85a3"),
}
ALL = "; ".join(seed.text for seed in SEEDS.values())


def nested(text: str, depth: int = 3) -> str:
    """Claims as services log them: JSON in a text of JSON in a text of JSON."""
    for _ in range(depth):
        text = msgspec.json.encode({"claims": text, "roles": ["reader"]}).decode()
    return text


def found_in(text: str) -> list[str]:
    """The detectors whose seed can be read in a text, also as it looks nested in JSON."""
    plain = text.replace("\\", "")
    return [name for name, seed in SEEDS.items() if seed.secret in text or seed.secret in plain]
