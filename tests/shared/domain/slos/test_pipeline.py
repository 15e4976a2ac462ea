"""What an indicator may be written in, and how total and good become conditions over one row."""

import pytest

from shared.domain.slos.pipeline import cut, read_pipeline
from shared.errors import RejectedInput


def test_a_pipeline_is_a_table_and_conditions() -> None:
    read = read_pipeline("AppRequests\n| where Name == 'a|b'\n  | where Success   == true")
    assert read.table == "AppRequests"
    assert read.conditions == ("Name == 'a|b'", "Success == true")


def test_what_is_good_is_what_the_second_text_asks_besides() -> None:
    total = read_pipeline("AppRequests | where A == 1")
    good = read_pipeline("AppRequests  | where A == 1 | where B or C | where D")
    assert cut(total, good) == ("A == 1", "(B or C) and (D)")


def test_a_total_without_conditions_counts_every_row() -> None:
    assert cut(read_pipeline("T"), read_pipeline("T | where B")) == ("", "B")


@pytest.mark.parametrize(
    "other", ["T", "U | where A | where B", "T | where B | where A", "T|where A"]
)
def test_parts_of_something_else_are_refused(other: str) -> None:
    with pytest.raises(RejectedInput, match="one more"):
        cut(read_pipeline("T | where A"), read_pipeline(other))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no table"),
        ("union A, B | where C", "no table"),
        ("T | take 5", "no condition"),
        ("T | where ", "no condition"),
        ("T | where A | summarize count()", "no condition"),
        ("T | where A in ((U | project A))", "asks for other rows"),
        ("T | where (A", "is not closed"),
        ("T | where A) or (B", "closes nothing"),
        ("T | where f([A)]", "closes nothing"),
        ("T | where A == 'b", "' is not allowed"),
        ("T | where A; drop", "; is not allowed"),
        ("T | where A // all", "// is not allowed"),
        ("let a = 1; T | where A", "; is not allowed"),
    ],
)
def test_what_cannot_stand_in_a_sum_is_refused(text: str, problem: str) -> None:
    with pytest.raises(RejectedInput) as refused:
        read_pipeline(text)
    assert problem in refused.value.detail


@pytest.mark.parametrize(
    "said", ['"https://a//b;"', "'it\\'s (|'", '@"c:\\"', '"a \\" | b"', "A / B > 0.5"]
)
def test_text_in_quotes_is_left_as_it_is(said: str) -> None:
    assert read_pipeline(f"T | where {said}").conditions == (said,)
