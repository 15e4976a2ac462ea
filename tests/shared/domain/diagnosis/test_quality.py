"""Answers that come in time and are bad: only judges tell, so no version is blamed for it."""

import msgspec
import pytest

from shared.domain.diagnosis.diagnose import diagnose
from shared.domain.diagnosis.diagnosis import Cause, Diagnosis, Health, Sign
from shared.domain.diagnosis.recovery import RecoveryVerdict, recovered
from shared.domain.diagnosis.telemetry import QueryAnswer
from shared.domain.slos.slo import Indicator, Slo
from tests.shared.domain.diagnosis.telemetry_story import (
    SERVICE,
    START,
    V1_GOOD,
    answer,
    answers_of,
    incident,
    no_trouble,
    now_of,
    seconds,
    serve,
)

JUDGED = Slo(
    name="fnol-quality",
    sli="quality",
    objective=0.9,
    indicator=Indicator(table="AppEvents", good="true", label_source="judge", least_labelled=0.2),
)
PROMISED = msgspec.structs.replace(SERVICE, slos=(*SERVICE.slos, JUDGED))
REQUESTS = serve([(0, {"v1": 1}), (180, {"v2": 1})], until=400, trouble=no_trouble)
NOW = now_of(REQUESTS)


def answers(bad: int, *, judged: int = 100, answered: int = 200) -> dict[str, QueryAnswer]:
    """What the logs tell of well served requests, and of what the judge said of the answers."""
    found = answers_of(REQUESTS)
    row = dict(found["burn_rates"].rows[0]) | {"Slo": JUDGED.name, "Sli": "quality"}
    for window in ("5m", "30m", "1h", "6h", "3d"):
        row |= {f"T{window}": judged, f"B{window}": bad, f"A{window}": answered}
    rows = [*found["burn_rates"].rows, row]
    return {**found, "burn_rates": answer("burn_rates", rows)}


def diagnosed(told: dict[str, QueryAnswer]) -> Diagnosis:
    return diagnose(
        incident=incident(),
        service=PROMISED,
        answers=told,
        changes=(),
        known_good=V1_GOOD,
        now=NOW,
    )


def test_bad_answers_are_a_breach_that_blames_no_version() -> None:
    found = diagnosed(answers(bad=50))

    assert (found.health, found.breach) == (Health.BREACHED, "quality")
    assert found.attribution.cause is not Cause.VERSION
    assert "fnol-quality burns 5.0 times as fast as allowed" in found.sentence


@pytest.mark.parametrize(
    ("told", "signal"),
    [
        (answers(bad=10), Sign.GOOD),
        (answers(bad=90, answered=501), Sign.LOW_TRAFFIC),
        (answers(bad=0, judged=0), Sign.NO_DATA),
    ],
)
def test_good_and_too_few_judged_answers_are_no_breach(
    told: dict[str, QueryAnswer], signal: Sign
) -> None:
    found = diagnosed(told)

    (quality,) = [one for one in found.findings if one.kind == "quality"]
    assert quality.signal is signal
    assert found.health is Health.HEALTHY


def test_no_move_is_said_to_have_helped_before_judges_say_so() -> None:
    before = diagnosed(answers(bad=50))
    found = recovered(before, answers(bad=50), START + seconds(300), PROMISED, NOW)

    assert found.verdict is RecoveryVerdict.TOO_EARLY
    assert "judges say only later" in found.sentence
