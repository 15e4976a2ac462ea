"""The service's rules for traffic: sound splits pass, one change makes each fail."""

import pytest

from infra.local.foundry.rules import ArmError, check_traffic

STATES = {"v1": "Succeeded", "v2": "Succeeded", "broken": "Failed"}


@pytest.mark.parametrize(
    ("traffic", "mirror"),
    [
        ({"v1": 100}, {}),
        ({}, {}),
        ({"v1": 0, "v2": 0}, {}),
        ({"V1": 60, "v2": 40}, {}),
        ({"v1": 100, "broken": 0}, {}),
        ({"v1": 100}, {"v2": 50}),
        ({"v1": 100}, {"v1": 0}),
    ],
)
def test_a_sound_split_passes(traffic: dict[str, int], mirror: dict[str, int]) -> None:
    check_traffic(traffic, mirror, STATES)


@pytest.mark.parametrize(
    ("traffic", "mirror", "message"),
    [
        ({"v1": 99}, {}, "sum to 100 or 0, got 99"),
        ({"v1": 150, "v2": -50}, {}, "sum to 100"),
        ({"v9": 100}, {}, "'v9' which does not exist"),
        ({"v9": 0, "v1": 100}, {}, "'v9' which does not exist"),
        ({"broken": 100}, {}, "'broken' is in Failed state"),
        ({"v1": 100}, {"v2": 51}, "at most 50"),
        ({"v1": 100}, {"v2": 10, "broken": 10}, "to one deployment"),
        ({"v1": 100}, {"v9": 10}, "unknown deployment 'v9'"),
        ({"v1": 100}, {"v1": 10}, "both live and mirror"),
    ],
)
def test_anything_else_is_a_bad_request(
    traffic: dict[str, int], mirror: dict[str, int], message: str
) -> None:
    with pytest.raises(ArmError, match=message) as caught:
        check_traffic(traffic, mirror, STATES)
    assert caught.value.status == 400
