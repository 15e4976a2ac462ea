"""What the service refuses: the errors of ARM, and the rules for traffic.

Each rule raises `ArmError`, which `arm` turns into the error body that the SDK knows.
"""

from collections.abc import Mapping

Shares = Mapping[str, int]


class ArmError(Exception):
    """A refusal: HTTP status, ARM's error code, and a sentence."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def check_traffic(traffic: Shares, mirror: Shares, states: Mapping[str, str]) -> None:
    """Refuse a split that the service would refuse; `states` is by lower-case deployment name."""
    _check_sum(traffic)
    for name, share in traffic.items():
        _check_deployment(name, share, states)
    _check_mirror(traffic, mirror, states)


def _check_sum(traffic: Shares) -> None:
    total = sum(traffic.values())
    out_of_range = any(share < 0 or share > 100 for share in traffic.values())
    if out_of_range or total not in (0, 100):
        raise _bad(f"Invalid traffic: values must sum to 100 or 0, got {total}")


def _check_deployment(name: str, share: int, states: Mapping[str, str]) -> None:
    state = states.get(name.lower())
    if state is None:
        raise _bad(f"Traffic refers to deployment '{name}' which does not exist")
    if share and state != "Succeeded":
        raise _bad(f"Deployment '{name}' is in {state} state; traffic cannot be set")


def _check_mirror(traffic: Shares, mirror: Shares, states: Mapping[str, str]) -> None:
    mirrored = [name for name, share in mirror.items() if share]
    if len(mirrored) > 1 or sum(mirror.values()) > 50:
        raise _bad("Mirror traffic must be at most 50 and to one deployment")
    for name in mirrored:
        if name.lower() not in states:
            raise _bad(f"Mirror traffic refers to unknown deployment '{name}'")
        if traffic.get(name):
            raise _bad(f"Deployment '{name}' cannot take both live and mirror traffic")


def _bad(message: str) -> ArmError:
    return ArmError(400, "BadRequest", message)
