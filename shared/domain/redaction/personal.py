"""Detectors of what belongs to one person: cards, accounts, numbers and addresses."""

import re

from shared.domain.redaction.checksums import is_address, is_card, is_iban, is_phone, is_ssn
from shared.domain.redaction.detector import BEGIN, END, Detector, begins, begins_in_shape

PERSONAL = (
    Detector(
        name="e-mail address",
        kind="email",
        # A run of its own, or behind an escape of JSON, which is kept.
        pattern=re.compile(
            r"(?:(?:\\[bfnrt]|\\u[0-9a-fA-F]{4})|(?<![\w.+-])|(?<=\\))"
            r"(?P<it>[\w.+-][\w.+'-]{0,127}+(?:@|%40|\\u0040)(?:[\w-]++\.)+[^\W\d_]{2,24})"
        ),
        hints=("@", "%40", "\\u0040"),
    ),
    Detector(
        name="payment card",
        kind="card",
        pattern=re.compile(
            rf"[2-6]{BEGIN}(?:\d{{12,18}}|\d{{3}}(?:[ .\u00a0-]\d{{4}}){{3}}(?:[ -]\d{{1,3}})?"
            rf"|\d{{3}}[ -]\d{{6}}[ -]\d{{4,5}}){END}(?!-\w)(?!\.\d)"
        ),
        check=is_card,
        shapes=(
            *("0" * 13, "0000 0000 0000", "0000-0000-0000", "0000.0000.0000"),
            *("0000\u00c2\u00a00000\u00c2\u00a0", "0000 000000 ", "0000-000000-"),
        ),
    ),
    Detector(
        name="bank account (IBAN)",
        kind="iban",
        pattern=re.compile(
            rf"(?i){begins(r'\w-')}[a-z]{{2}}\d\d"
            rf"(?:[a-z0-9]{{11,27}}|(?:[ -][a-z0-9]{{4}}){{2,7}}(?:[ -][a-z0-9]{{1,3}})?)"
            rf"{END}(?!-\w)"
        ),
        check=is_iban,
        probe=re.compile(
            r"aa00" + begins_in_shape("a0", "aa00") + r"(?:[a0]{11,27}(?![a0])|[ -][a0]{4}[ -])"
        ),
    ),
    Detector(
        name="US social security number",
        kind="ssn",
        pattern=re.compile(rf"\d{BEGIN}\d\d([ -])\d\d\1\d{{4}}{END}(?!-\w)"),
        check=is_ssn,
        shapes=("000-00-0000", "000 00 0000"),
    ),
    Detector(
        name="US social security number by its name",
        kind="ssn",
        pattern=re.compile(rf"(?i){begins(r'\w')}ssn\W{{0,4}}(?P<it>\d{{9}})(?!\d)"),
        check=is_ssn,
        hints=("ssn",),
    ),
    Detector(
        name="telephone number",
        kind="phone",
        pattern=re.compile(
            rf"{begins(r'\w+.')}(?:\+|(?i:%2B))[1-9](?:[ ()/.-]{{0,3}}\d){{7,14}}(?!\w)"
        ),
        check=is_phone,
        shapes=("+0", "%0a0"),
    ),
    Detector(
        name="telephone number with zeros for the plus",
        kind="phone",
        pattern=re.compile(
            rf"00{begins(r'\w+.-', '00')}[1-9]\d{{0,2}}(?:[ /-]\(?\d{{1,5}}\)?){{2,5}}(?!\w)"
        ),
        check=is_phone,
        probe=re.compile(r"000{1,3}[ /-]\(?0{1,5}\)?[ /-]"),
    ),
    Detector(
        name="telephone number of North America",
        kind="phone",
        pattern=re.compile(
            rf"(?:{begins(r'\w.')}\([2-9]\d\d\) ?|[2-9]{BEGIN}\d\d[ .-])"
            rf"[2-9]\d\d[.-]\d{{4}}{END}(?!-\w)(?!\.\d)"
        ),
        check=is_phone,
        shapes=(
            *("000-000-0000", "000.000.0000", "000 000-0000"),
            *("(000) 000-0000", "(000)000-0000", "(000) 000.0000"),
        ),
    ),
    Detector(
        name="IP address of version 4",
        kind="ip",
        pattern=re.compile(
            rf"\d{BEGIN}(?<![vV]ersion \d)\d{{0,2}}\.(?:\d{{1,3}}\.){{2}}\d{{1,3}}(?!\w)(?!\.\d)"
        ),
        check=is_address,
        shapes=(".0.0", ".00.0", ".000.0"),
    ),
    Detector(
        name="IP address of version 6",
        kind="ip",
        pattern=re.compile(
            rf"{begins(r'\w:.')}(?=[0-9a-fA-F:]{{0,40}}\d)(?:[0-9a-fA-F]{{0,4}}:){{2,7}}"
            r"(?:(?:\d{1,3}\.){3}\d{1,3}|[0-9a-fA-F]{1,4})?(?![\w:])(?!\.\d)"
        ),
        check=is_address,
        probe=re.compile(r":(?:[a0]{1,4}:[a0]{1,4})?:"),
    ),
)
