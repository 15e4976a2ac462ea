"""Checks that tell a number which somebody owns from one that only looks like it.

Asked by the detectors after their pattern matched. A metric, a timestamp or an id that passes the
pattern fails here nearly always, so that what Backstop needs survives.
"""

import ipaddress
import re

_IBAN_LENGTHS = {
    **dict.fromkeys(("NO",), 15),
    **dict.fromkeys(("BE",), 16),
    **dict.fromkeys(("DK", "FI", "FO", "GL", "NL"), 18),
    **dict.fromkeys(("MK", "SI"), 19),
    **dict.fromkeys(("AT", "BA", "EE", "KZ", "LT", "LU", "XK"), 20),
    **dict.fromkeys(("CH", "CR", "HR", "LI", "LV"), 21),
    **dict.fromkeys(("BG", "BH", "DE", "GB", "GE", "IE", "ME", "RS", "VA"), 22),
    **dict.fromkeys(("AE", "GI", "IL", "IQ", "TL"), 23),
    **dict.fromkeys(("AD", "CZ", "ES", "MD", "PK", "RO", "SA", "SE", "SK", "TN", "VG"), 24),
    **dict.fromkeys(("LY", "PT", "ST"), 25),
    **dict.fromkeys(("IS", "TR"), 26),
    **dict.fromkeys(("FR", "GR", "IT", "MC", "MR", "SM"), 27),
    **dict.fromkeys(("AL", "AZ", "BY", "CY", "DO", "GT", "HU", "LB", "PL", "SV"), 28),
    **dict.fromkeys(("BR", "EG", "PS", "QA", "UA"), 29),
    **dict.fromkeys(("JO", "KW", "MU"), 30),
    **dict.fromkeys(("MT", "SC"), 31),
}
_MARKS = re.compile(r"[^0-9A-Za-z]")
# The brands' own first digits and lengths: a time in milliseconds since 1970 begins with a 1.
_BRANDS = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"
    r"|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11}|(?:6011|65\d\d|64[4-9]\d|35\d\d)\d{12}|62\d{14,17}"
    r"|(?:50|5[6-9]|6[37])\d{12,17}"
)


def is_card(text: str) -> bool:
    """Whether the digits are a payment card's: a brand's length and beginning, and Luhn's sum."""
    digits = _MARKS.sub("", text)
    if not _BRANDS.fullmatch(digits) or len(set(digits)) == 1:
        return False
    doubled = (int(digit) * 2 for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(n - 9 * (n > 9) for n in doubled)) % 10 == 0


def is_iban(text: str) -> bool:
    """Whether it has its country's length, and is 1 modulo 97."""
    joined = _MARKS.sub("", text).upper()
    if _IBAN_LENGTHS.get(joined[:2]) != len(joined):
        return False
    return int("".join(str(int(c, 36)) for c in joined[4:] + joined[:4])) % 97 == 1


def is_ssn(text: str) -> bool:
    """Whether the numbers of a US social security number may be given out at all."""
    digits = _MARKS.sub("", text)
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    return area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"


def is_phone(text: str) -> bool:
    """Whether it has as many digits as a number that can be called from abroad."""
    digits = _MARKS.sub("", text)
    return 8 <= len(digits.removeprefix("00")) <= 15


def is_address(text: str) -> bool:
    """Whether it is an IP address that names somebody: not one of every machine's own."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified)
