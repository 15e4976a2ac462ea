"""An endpoint's snapshot: equal fingerprints mean nobody wrote, and nonsense traffic is refused."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.decisions.endpoint import (
    Deployment,
    EndpointSnapshot,
    ProbeReport,
    TargetRef,
    parse_target,
    refuse_traffic,
)
from shared.errors import RejectedInput

ARM_ID = (
    "/subscriptions/SUB/resourceGroups/Rg/providers/Microsoft.MachineLearningServices"
    "/workspaces/Ws/onlineEndpoints/Fnol-Summary"
)
SNAPSHOT = EndpointSnapshot(
    target=parse_target(ARM_ID).id,
    traffic={"v1": 100, "v2": 0},
    mirror={},
    state="Succeeded",
    last_modified="2026-11-23T06:00:00.000001+0000",
    deployments=(
        Deployment(name="v1", state="Succeeded", instances=2),
        Deployment(name="v2", state="Succeeded", instances=2),
        Deployment(name="auto", state="Succeeded", instances=None),
        Deployment(name="broken", state="Failed", instances=2),
        Deployment(name="asleep", state="Succeeded", instances=0),
    ),
    scoring_uri="http://127.0.0.1/score",
    read_at=datetime(2026, 11, 23, 6, tzinfo=UTC),
)

shares = st.dictionaries(st.sampled_from(["v1", "v2", "v3"]), st.integers(0, 100))


def snapshot(**changed: object) -> EndpointSnapshot:
    return msgspec.structs.replace(SNAPSHOT, **changed)


class TestTarget:
    def test_an_arm_id_in_any_case_is_one_target(self) -> None:
        target = parse_target(ARM_ID)
        assert target == parse_target(ARM_ID.upper())
        assert target.endpoint == "fnol-summary"
        assert target.id == ARM_ID.lower()

    @pytest.mark.parametrize(
        "arm_id", ["", "/subscriptions/s", ARM_ID + "/deployments/v1", "x" + ARM_ID]
    )
    def test_anything_else_is_rejected(self, arm_id: str) -> None:
        with pytest.raises(RejectedInput) as caught:
            parse_target(arm_id)
        assert caught.value.reason == "not-an-endpoint"

    @given(st.lists(st.text("abcDEF019-", min_size=1, max_size=9), min_size=4, max_size=4))
    def test_the_id_of_a_target_parses_to_the_same_id(self, parts: list[str]) -> None:
        fields = ("subscription", "resource_group", "workspace", "endpoint")
        target = TargetRef(**dict(zip(fields, parts, strict=True)))
        assert parse_target(target.id).id == target.id


class TestFingerprint:
    @given(shares)
    def test_zero_shares_case_order_and_reading_time_do_not_count(
        self, traffic: dict[str, int]
    ) -> None:
        respelt = {name.upper(): share for name, share in reversed(traffic.items()) if share}
        later = datetime(2026, 11, 24, tzinfo=UTC)
        assert (
            snapshot(traffic=traffic).fingerprint
            == snapshot(traffic=respelt, read_at=later, deployments=()).fingerprint
        )

    @given(shares, shares)
    def test_equal_only_if_the_split_is_equal(
        self, one: dict[str, int], other: dict[str, int]
    ) -> None:
        same_split = snapshot(traffic=one).serves(other)
        assert (
            snapshot(traffic=one).fingerprint == snapshot(traffic=other).fingerprint
        ) == same_split

    @pytest.mark.parametrize(
        "changed",
        [
            {"state": "Updating"},
            {"last_modified": "2026-11-23T06:00:00.000002+0000"},
            {"mirror": {"v2": 10}},
            {"traffic": {"v1": 90, "v2": 10}},
        ],
    )
    def test_every_sign_of_a_write_changes_it(self, changed: dict[str, object]) -> None:
        assert snapshot(**changed).fingerprint != SNAPSHOT.fingerprint

    def test_live_and_mirrored_traffic_are_not_confused(self) -> None:
        live = snapshot(traffic={"v1": 50}, mirror={})
        mirrored = snapshot(traffic={}, mirror={"v1": 50})
        assert live.fingerprint != mirrored.fingerprint


class TestServed:
    @pytest.mark.parametrize(
        ("traffic", "expected"),
        [
            ({"v1": 100}, "v1"),
            ({"v1": 10, "v2": 90}, "v2"),
            ({"v1": 50, "v2": 25, "v3": 25}, "v1"),
            ({"v1": 50, "v2": 50}, None),
            ({"v1": 40, "v2": 40, "v3": 20}, None),
            ({"v1": 0}, None),
            ({}, None),
        ],
    )
    def test_is_the_only_one_with_half_of_the_traffic(
        self, traffic: dict[str, int], expected: str | None
    ) -> None:
        assert snapshot(traffic=traffic).served() == expected


class TestRefuseTraffic:
    @pytest.mark.parametrize(
        "desired",
        [
            {"v1": 100},
            {"V1": 100, "v2": 0},
            {"v1": 90, "v2": 10},
            {"auto": 100},
            {"v1": 100, "gone": 0},
        ],
    )
    def test_a_sound_split_is_not_refused(self, desired: dict[str, int]) -> None:
        assert refuse_traffic(SNAPSHOT, desired) is None

    @pytest.mark.parametrize(
        ("desired", "reason"),
        [
            ({"gone": 100}, "deployment gone does not exist"),
            ({"broken": 100}, "deployment broken is Failed"),
            ({"v1": 90, "asleep": 10}, "deployment asleep is scaled to zero"),
            ({"v1": 90}, "the shares must be positive and sum to 100, not 90"),
            ({"v1": 110, "v2": -10}, "the shares must be positive and sum to 100, not 100"),
            ({}, "the shares must be positive and sum to 100, not 0"),
        ],
    )
    def test_says_why_a_split_must_not_be_written(
        self, desired: dict[str, int], reason: str
    ) -> None:
        assert refuse_traffic(SNAPSHOT, desired) == reason


@pytest.mark.parametrize(
    ("state", "idle"),
    [
        ("Succeeded", True),
        ("Failed", True),
        ("Canceled", True),
        ("Updating", False),
        ("Creating", False),
    ],
)
def test_an_endpoint_is_idle_when_its_operation_has_ended(state: str, idle: bool) -> None:
    assert snapshot(state=state).idle is idle


@pytest.mark.parametrize(("sent", "passed", "ok"), [(3, 3, True), (3, 2, False), (0, 0, False)])
def test_a_probe_is_good_only_if_all_passed_and_any_was_sent(
    sent: int, passed: int, ok: bool
) -> None:
    report = ProbeReport(deployment="v1", region=None, sent=sent, passed=passed)
    assert report.ok is ok
