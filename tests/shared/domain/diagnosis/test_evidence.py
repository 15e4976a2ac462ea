"""Rows become evidence only where the query ended well and the columns are what was promised."""

import pytest

from shared.domain.diagnosis.diagnosis import Sign
from shared.domain.diagnosis.evidence import ROWS, read_evidence
from shared.domain.diagnosis.telemetry import AnswerStatus, QueryAnswer
from tests.shared.domain.diagnosis.telemetry_story import START, answer, answers_of, serve

ANSWERS = answers_of(serve([(0, {"v1": 1})], until=60))


def test_complete_answers_become_typed_rows_without_trouble() -> None:
    evidence = read_evidence(ANSWERS)

    assert evidence.troubles == ()
    assert evidence.onset[0].at == START
    assert sum(row.total for row in evidence.onset) == 480
    assert evidence.burn_rates[0].t5m == 480


@pytest.mark.parametrize("query", sorted(set(ROWS) - {"activity"}))
@pytest.mark.parametrize(
    "status", [one for one in AnswerStatus if one is not AnswerStatus.COMPLETE]
)
def test_an_answer_that_is_not_complete_gives_no_rows_but_a_trouble(
    query: str, status: AnswerStatus
) -> None:
    broken = QueryAnswer(name=query, status=status, rows=ANSWERS[query].rows, detail="as told")

    evidence = read_evidence({**ANSWERS, query: broken})

    assert getattr(evidence, query) == ()
    trouble = evidence.trouble(query)
    assert trouble is not None
    assert trouble.sentence.startswith(query)
    assert trouble.sentence.endswith("(as told)")
    empty = status is AnswerStatus.EMPTY
    assert trouble.signal is (Sign.NO_DATA if empty else Sign.UNKNOWN)


def test_a_query_that_was_not_asked_is_not_answered() -> None:
    asked = {name: found for name, found in ANSWERS.items() if name != "outcomes"}

    trouble = read_evidence(asked).trouble("outcomes")

    assert trouble is not None
    assert trouble.sentence == "outcomes was not asked"


def test_unexpected_columns_are_told_and_do_not_raise() -> None:
    renamed = answer("slices", [{"Region": "westeurope", "Requests": 3}])

    trouble = read_evidence({**ANSWERS, "slices": renamed}).trouble("slices")

    assert trouble is not None
    assert "unexpected columns" in trouble.sentence
    assert trouble.signal is Sign.UNKNOWN


def test_a_wrong_type_is_told_and_does_not_raise() -> None:
    odd = answer("index_freshness", [{"Index": "a", "Watermark": "soon", "ReportedAt": START}])

    assert read_evidence({**ANSWERS, "index_freshness": odd}).trouble("index_freshness")


def test_complete_without_rows_counts_as_empty() -> None:
    none = QueryAnswer(name="onset", status=AnswerStatus.COMPLETE)

    core = read_evidence({**ANSWERS, "onset": none}).core_trouble

    assert core is not None
    assert core.empty


def test_the_control_planes_activity_need_not_be_asked() -> None:
    assert "activity" not in ANSWERS
    assert read_evidence(ANSWERS).trouble("activity") is None
