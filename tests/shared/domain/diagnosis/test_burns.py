"""Burn rates from rows, the worst slice with enough traffic, and what can fire at all."""

import msgspec
import pytest

from shared.domain.catalog import RollbackPolicy, Service
from shared.domain.diagnosis.burns import (
    breach_share,
    burn_rate,
    burns_too_fast,
    parse_burns,
    worst_burn,
)
from shared.domain.diagnosis.diagnosis import Burn
from shared.domain.diagnosis.measurements import BurnRow
from shared.domain.slos.slo import WINDOWS, Indicator, Slo
from tests.shared.domain.diagnosis.telemetry_story import SERVICE

SLO = Slo(name="fnol-availability", sli="availability", objective=0.99)


def row(dimension: str = "", value: str = "", sli: str = "availability", **counts: int) -> BurnRow:
    empty = dict.fromkeys([f"{kind}{name}" for kind in "tb" for name in WINDOWS], 0)
    return BurnRow(
        slo=f"fnol-{sli}", sli=sli, dimension=dimension, value=value, **{**empty, **counts}
    )


def burn(value: str, short: tuple[int, int], long: tuple[int, int]) -> Burn:
    (found,) = (
        one
        for one in parse_burns(
            [row("region", value, t5m=short[0], b5m=short[1], t1h=long[0], b1h=long[1])], [SLO]
        )
        if one.dimension
    )
    return found


def with_slos(*slos: Slo) -> Service:
    return msgspec.structs.replace(SERVICE, slos=slos)


def test_a_burn_is_the_bad_share_over_the_budget() -> None:
    (total,) = parse_burns([row(t5m=200, b5m=10, t3d=1000, b3d=10)], [SLO])

    assert total.windows["5m"][:2] == (200, 10)
    assert total.windows["5m"][2] == pytest.approx(5.0)
    assert total.windows["3d"][2] == pytest.approx(1.0)


def test_a_window_without_traffic_has_no_rate() -> None:
    (total,) = parse_burns([row(t3d=10)], [SLO])

    assert total.windows["5m"] == (0, 0, None)
    assert tuple(total.windows) == WINDOWS


def test_an_objective_without_rows_keeps_its_place() -> None:
    latency = Slo(name="slow", sli="latency", objective=0.95, latency_ms=2000)

    burns = parse_burns([row(t5m=10)], [SLO, latency])

    assert [(one.slo, one.windows["5m"]) for one in burns] == [
        ("fnol-availability", (10, 0, 0.0)),
        ("slow", (0, 0, None)),
    ]


def test_totals_come_before_slices() -> None:
    rows = [row("region", "westeurope", t5m=1), row(t5m=2)]

    assert [one.dimension for one in parse_burns(rows, [SLO])] == ["", "region"]


def test_a_perfect_objective_has_no_budget_to_burn() -> None:
    assert burn_rate(100, 1, 1.0) is None


def test_the_worst_burn_is_the_one_whose_calmer_window_is_highest() -> None:
    spike = burn("westeurope", short=(100, 90), long=(1000, 10))
    steady = burn("northeurope", short=(100, 20), long=(1000, 200))

    worst = worst_burn([spike, steady], RollbackPolicy())

    assert worst is not None
    assert worst.where == "region=northeurope"
    assert worst.rate == pytest.approx(20.0)


def test_one_error_in_a_quiet_hour_is_no_burn() -> None:
    quiet = burn("westeurope", short=(1, 1), long=(3, 1))

    assert worst_burn([quiet], RollbackPolicy(minimum_requests=50)) is None


def test_both_windows_need_the_minimum() -> None:
    just_begun = burn("westeurope", short=(10, 9), long=(400, 9))

    assert worst_burn([just_begun], RollbackPolicy(minimum_requests=50)) is None


def test_an_unknown_window_is_not_measured() -> None:
    unknown = RollbackPolicy(short_window="7m")
    assert worst_burn([burn("westeurope", (100, 50), (100, 50))], unknown) is None


@pytest.mark.parametrize(
    ("objective", "share"), [(0.99, 0.04), (0.999, 0.01), (0.5, 0.5), (0.95, 0.2)]
)
def test_the_breach_share_is_where_the_policys_burn_is_reached(
    objective: float, share: float
) -> None:
    service = with_slos(Slo(name="a", sli="availability", objective=objective))

    assert breach_share(service) == pytest.approx(share)


def test_without_an_objective_99_percent_is_supposed() -> None:
    assert breach_share(with_slos()) == pytest.approx(0.04)


def test_the_policy_says_what_is_too_fast() -> None:
    worst = worst_burn([burn("westeurope", (100, 5), (100, 5))], RollbackPolicy())

    assert burns_too_fast(worst, RollbackPolicy(burn_rate=5.0 - 1e-6))
    assert not burns_too_fast(worst, RollbackPolicy(burn_rate=5.1))
    assert not burns_too_fast(None, RollbackPolicy())


JUDGED = Slo(
    name="fnol-quality",
    sli="quality",
    objective=0.9,
    indicator=Indicator(table="AppEvents", good="true", label_source="judge", least_labelled=0.2),
)


def test_too_few_judged_answers_have_no_rate() -> None:
    few = msgspec.structs.replace(row(t1h=100, b1h=50), slo=JUDGED.name, sli="quality", a1h=501)
    enough = msgspec.structs.replace(few, a1h=500)

    assert parse_burns([few], [JUDGED])[0].windows["1h"] == (100, 50, None)
    assert parse_burns([enough], [JUDGED])[0].windows["1h"][2] == pytest.approx(5.0)
