"""Detectors of secrets: what lets its holder in somewhere. They run before the personal ones.

The order is from the longest to the shortest, so that what is part of something longer is not cut
out of it.
"""

import re

from shared.domain.redaction.detector import Detector, begins, begins_in_shape, ending


def _spelt(*firsts: str) -> tuple[str, ...]:
    return tuple(f"{first}{mark}" for first in firsts for mark in ("", "_", "-"))


_NEW = r"(?!\[[a-z]{2,8}(?::[0-9a-f]{8})?\])"
_VALUE = rf"{_NEW}[^\s\"'\\&;,<>)\]}}]{{4,}}+"
_GAP = r"(?:\\{0,3}[\"'])?\s{0,3}(?:=|:|%3[dD])\s{0,3}(?:\\{0,3}[\"'])?"
_NAMES = (
    r"(?:password|passwd|passphrase|pwd|secret(?:[_-]?access)?[_-]?key|secret|client[_-]?secret|api[_-]?key|access[_-]?token"
    r"|refresh[_-]?token|id[_-]?token|auth[_-]?token|account[_-]?key|shared[_-]?access[_-]?key"
    r"|shared[_-]?access[_-]?signature|subscription[_-]?key|function[s]?[_-]?key|private[_-]?key"
    r"|routing[_-]?key|integration[_-]?key|signing[_-]?key|cookie)"
)
# What the names end with where "key" alone would be in every row, in all their spellings.
_KEYS = _spelt(
    *("access", "account", "api", "function", "functions", "integration"),
    *("private", "routing", "signing", "subscription"),
)
NAMED_KEY = ending("key", *_KEYS)
_STRIPE = tuple(f"{kind}k_{use}" for kind in "sr" for use in ("live", "test"))
_MARKED = ("ghp", "gho", "ghu", "ghs", "ghr", "github_pat", "npm", "hf", *_STRIPE)

SECRETS = (
    Detector(
        name="private key",
        kind="secret",
        pattern=re.compile(
            r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY-----(?:[^-]++|-(?!----END))*+"
            r"(?:-----END[A-Z0-9 ]{0,40}-{0,5}|\Z)"
        ),
        hints=("private key-----",),
    ),
    Detector(
        name="token of JSON (JWT)",
        kind="jwt",
        pattern=re.compile(
            rf"eyJ{begins(r'\w-', 'eyJ')}[\w-]{{8,}}+\.[\w-]{{4,}}+(?:\.[\w-]*+){{0,3}}"
        ),
        hints=("eyj",),
    ),
    Detector(
        name="secret in a webhook's path",
        kind="secret",
        pattern=re.compile(
            r"(?i)https?:(?:\\?/){2}(?:hooks\.slack\.com|discord(?:app)?\.com\\?/api\\?/webhooks"
            r"|[\w.-]{1,200}\.webhook\.office\.com|outlook\.office(?:365)?\.com\\?/webhook)"
            r"\\?/(?P<it>(?!\[)[^\s\"'<>\\?]{8,}+(?:\\/[^\s\"'<>\\?]++)*+)"
        ),
        hints=("hooks.slack.com", "discord", "webhook"),
    ),
    Detector(
        name="password in a URL",
        kind="secret",
        pattern=re.compile(
            r"(?:(?<=://)|(?<=:\\/\\/))(?P<it>(?!\[)[^\s/@:\"'<>?#\\]{1,100}:[^\s/@\"'<>?#\\]{1,200})@"
        ),
        hints=("@",),
    ),
    Detector(
        name="bearer or basic credentials",
        kind="secret",
        pattern=re.compile(
            rf"(?i){begins(r'\w')}(?:bearer|basic|sharedaccesssignature|token token=)[ +]{{1,3}}"
            rf"(?P<it>{_NEW}[\w.~+/=&%:-]{{12,}}+)"
        ),
        hints=("bearer", "basic", "sharedaccesssignature", "token token"),
    ),
    Detector(
        name="signature of a URL",
        kind="secret",
        pattern=re.compile(rf"(?i){begins('a-z0-9')}(?:x-amz-)?sig(?:nature)?=(?P<it>{_VALUE})"),
        hints=("sig=", "signature="),
    ),
    Detector(
        name="key of a URL",
        kind="secret",
        pattern=re.compile(
            rf"(?i){begins('a-z0-9_-')}(?:code=(?=[^\s&]{{16}})|(?:key|token)=(?=[^\s&]{{4}}))"
            rf"(?P<it>{_VALUE})"
        ),
        hints=("code=", "key=", "token="),
    ),
    Detector(
        name="named secret",
        kind="secret",
        pattern=re.compile(
            rf"(?i){begins('a-z0-9')}(?!secret:[0-9a-f]{{8}}\]){_NAMES}{_GAP}(?P<it>{_VALUE})"
        ),
        hints=("passw", "passphrase", "pwd", "secret", "cookie", "token", "signature"),
        named=NAMED_KEY,
    ),
    Detector(
        name="account key",
        kind="secret",
        pattern=re.compile(rf"{begins(r'\w+/=')}(?:[\w+/]{{86}}==|[\w+/]{{43}}=)(?![\w=])"),
        probe=re.compile(
            "=(?:" + begins_in_shape("a0_+/=", "[a0_+/]{43}=") + "|"
            "=" + begins_in_shape("a0_+/=", "[a0_+/]{86}==") + ")"
        ),
    ),
    Detector(
        name="key with its issuer's mark",
        kind="secret",
        pattern=re.compile(
            begins(r"\w-") + r"(?:gh[pousr]_\w{20,}+|github_pat_\w{20,}+|sk-[\w-]{20,}+"
            r"|xox[abeprs]-[\w-]{10,}+|(?:AKIA|ASIA)[0-9A-Z]{16}|AIza[\w-]{35}|glpat-[\w-]{20,}+"
            r"|pypi-[\w-]{50,}+|npm_\w{36}|hf_[a-zA-Z0-9]{30,}+|[rs]k_(?:live|test)_\w{16,}+)"
        ),
        hints=("sk-", "xox", "akia", "asia", "aiza", "glpat-", "pypi-"),
        named=ending("_", *_MARKED),
    ),
    Detector(
        name="key of Azure",
        kind="secret",
        pattern=re.compile(
            begins(r"\w~.-") + r"(?:[\w~.-]{3}\dQ~[\w~.-]{31,34}(?![\w~-])|\w{52}JQQJ99\w{20,40}+"
            r"|[\w-]{40,48}AzFu[\w-]{5,8}={0,2})"
        ),
        hints=("q~", "jqqj99", "azfu"),
    ),
    Detector(
        name="key of PagerDuty",
        kind="secret",
        pattern=re.compile(rf"(?:u\+|y_){begins(r'\w+-', '..')}[\w-]{{18}}(?![\w-])"),
        probe=re.compile(r"[+_](?<=a.)[a0_-]{18}"),
    ),
)
