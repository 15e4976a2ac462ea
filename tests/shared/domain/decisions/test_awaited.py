"""What is missing for the known good, said so that a person knows what to wait for or mend."""

from datetime import timedelta
from typing import Any

import pytest

from shared.domain.decisions.awaited import say_awaited
from shared.domain.decisions.intent import EndpointRecord
from shared.domain.decisions.soak import soak_rules
from tests.shared.domain.decisions.test_soak import SOAK
from tests.shared.domain.decisions.worked_case import alter
from tests.shared.domain.incidents.situations import ENDPOINT, NOW, SERVICE
from tests.shared.domain.views.test_home_page import RECORD

DAY = timedelta(days=1)
FRESH = EndpointRecord(target=ENDPOINT, service="fnol-summary")


def say(**changes: Any) -> str:
    record = alter(FRESH, **{"serving": "v2", "serving_since": NOW - DAY, **changes})
    return say_awaited(record, SERVICE.policy, NOW)


def test_before_the_first_look_nothing_is_known() -> None:
    assert say_awaited(FRESH, SERVICE.policy, NOW) == "Nobody has looked yet which version serves."


def test_a_split_earns_nothing() -> None:
    assert say(serving="") == "No version takes all of the traffic."


def test_how_long_it_has_served_is_counted_when_it_is_read() -> None:
    assert say(serving_since=NOW - timedelta(hours=3)) == "v2 has served 3 h of 24 h."
    assert say() == "v2 is about to be looked at."


@pytest.mark.parametrize(
    ("unmet", "said"),
    [
        (("no-open-incident",), "v2 waits: an incident of its service is open."),
        (
            ("enough-requests-availability", "enough-requests-latency", "capacity"),
            "v2 waits: fewer than 500 requests are counted; it has too few instances for the load.",
        ),
        (("probes-passed",), "v2 waits: fewer than 95% of its probes passed."),
        (("of-a-later-version",), "v2 waits: a rule that is not known here."),
    ],
)
def test_what_was_missing_at_the_last_look_is_named(unmet: tuple[str, ...], said: str) -> None:
    assert say(unmet=unmet) == said


def test_every_rule_of_the_soak_has_its_sentence() -> None:
    for rule in soak_rules(SOAK):
        assert "not known here" not in say(unmet=(rule.rule,)), rule.rule


def test_a_known_good_that_serves_waits_for_nothing() -> None:
    good = RECORD.known_good
    assert good is not None
    assert say(known_good=good, serving=good.deployment) == ""
    assert say(known_good=good) == "v2 is about to be looked at."
