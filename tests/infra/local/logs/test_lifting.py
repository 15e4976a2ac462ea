from datetime import datetime

import pytest

from infra.local.logs.lifting import lift


def test_strings_and_times_become_parameters_and_the_rest_stays() -> None:
    lifted = lift(
        '// a comment\nlet A = "x\\n";\nlet B = 1m;\nlet C = datetime(2026-11-23T12:00:00.5Z);\n'
        'AppRequests | where Name == "let D = 1;"'
    )

    assert lifted.values == {"A": "x\n", "C": datetime(2026, 11, 23, 12, 0, 0, 500_000)}  # noqa: DTZ001
    assert lifted.text.splitlines() == [
        "declare query_parameters(A:string, C:datetime);",
        "let B = 1m;",
        'AppRequests | where Name == "let D = 1;"',
    ]


def test_an_instant_is_a_question_of_its_own() -> None:
    lifted = lift("let Lag = 2m;\nlet End = bin(now() - Lag, 1m);\nprint End")

    assert lifted.instants == {"End": "let Lag = 2m;\nprint bin(now() - Lag, 1m)"}
    assert lifted.text == "declare query_parameters(End:datetime);\nlet Lag = 2m;\nprint End"


@pytest.mark.parametrize(("text", "value"), [("800.0", 800.0), ("-1e-07", -1e-07)])
def test_a_threshold_is_a_parameter(text: str, value: float) -> None:
    assert lift(f"let A = real({text});\nprint A").values == {"A": value}


def test_an_offset_is_reckoned() -> None:
    lifted = lift("let A = datetime(2026-11-23T12:00:00+02:00);\nprint A")

    assert lifted.values == {"A": datetime(2026, 11, 23, 10)}  # noqa: DTZ001


@pytest.mark.parametrize(
    "text",
    [
        "print 1",
        "let A = 1h;\nprint A",
        "let A = now() - datetime(2026-01-01);\nprint A",
        "let A = ago(Unknown);\nprint A",
        "let F = (x: long) { x + 1 };\nprint F(1)",
        'let A = "\\q";\nprint A',
    ],
)
def test_whatever_else_is_left_to_the_translator(text: str) -> None:
    lifted = lift(text)

    assert lifted.text == text
    assert not lifted.values
    assert not lifted.instants


def test_only_the_first_statements_are_taken() -> None:
    text = 'let T = AppRequests | where Name == "x";\nlet A = "y";\nT | where Name == A'

    assert lift(text).text == text
