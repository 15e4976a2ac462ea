"""Microsoft's analyser finds what Log Analytics would reject, and says where."""

import pytest

from infra.local.logs.analyser import Analysis, analyse, missing
from shared.errors import Misconfigured

BROKEN = {
    "unknown column": ("AppRequests | where Foo == 1", "Foo"),
    "unknown table": ("AppRequest | take 1", "AppRequest"),
    "wrong type": ("AppRequests | where DurationMs > 'fast'", "operand types real and string"),
}
SOUND = "AppRequests | summarize N = sum(ItemCount) by AppRoleName"


@pytest.fixture(scope="module")
def answers() -> dict[str, Analysis]:
    """All at once: node takes longer to start than to answer."""
    return analyse({name: text for name, (text, _) in BROKEN.items()} | {"sound": SOUND})


@pytest.mark.skipif(bool(missing()), reason=missing())
def test_the_analyser_names_what_is_wrong(answers: dict[str, Analysis]) -> None:
    for name, (_, named) in BROKEN.items():
        (error,) = answers[name].errors
        assert named in error


@pytest.mark.skipif(bool(missing()), reason=missing())
def test_a_sound_query_has_columns_and_no_errors(answers: dict[str, Analysis]) -> None:
    answer = answers["sound"]
    assert (answer.errors, answer.columns) == ((), ("AppRoleName:string", "N:long"))


@pytest.mark.skipif(bool(missing()), reason=missing())
def test_nothing_asked_is_nothing_answered() -> None:
    assert analyse({}) == {}


def test_a_machine_without_node_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Misconfigured, match="node is not installed"):
        analyse({"a": "AppRequests"})
