"""Objectives: judged where they can be told, unknown and never met where they cannot."""

from datetime import timedelta

import pytest

from shared.domain.incidents.incident import State
from shared.domain.incidents.objectives import Standing, rpo, rto
from tests.shared.domain.decisions.worked_case import INCIDENT, NOW, SERVICE, ago, alter

RTO = timedelta(seconds=SERVICE.rto_s)
MITIGATED = alter(INCIDENT, state=State.MITIGATED)


class TestRto:
    def test_it_runs_from_the_onset(self) -> None:
        judged = rto(INCIDENT, SERVICE, NOW)
        assert (judged.standing, judged.minutes_left) == (Standing.RUNNING, 14.0)

    def test_it_is_met_by_a_recovery_in_time_however_late_it_is_asked(self) -> None:
        recovered = alter(MITIGATED, recovered_at=ago(0))
        judged = rto(recovered, SERVICE, NOW + timedelta(days=1))
        assert (judged.standing, judged.minutes_left) == (Standing.MET, 14.0)

    @pytest.mark.parametrize(
        ("over", "standing"), [(0, Standing.MET), (1, Standing.MISSED), (300, Standing.MISSED)]
    )
    def test_the_last_second_counts(self, over: int, standing: Standing) -> None:
        onset = NOW - RTO - timedelta(seconds=over)
        recovered = alter(MITIGATED, onset_at=onset, recovered_at=NOW)
        assert rto(recovered, SERVICE, NOW).standing is standing

    def test_it_is_missed_before_the_recovery_when_the_time_is_up(self) -> None:
        judged = rto(INCIDENT, SERVICE, NOW + RTO)
        assert (judged.standing, judged.minutes_left) == (Standing.MISSED, -1.0)

    def test_without_an_onset_it_is_unknown(self) -> None:
        judged = rto(alter(INCIDENT, onset_at=None, recovered_at=NOW), SERVICE, NOW)
        assert (judged.standing, judged.minutes_left) == (Standing.UNKNOWN, None)

    def test_resolved_by_a_person_without_telemetry_of_it_is_unknown(self) -> None:
        resolved = alter(INCIDENT, state=State.RESOLVED, resolved_at=NOW)
        assert rto(resolved, SERVICE, NOW).standing is Standing.UNKNOWN


class TestRpo:
    @pytest.mark.parametrize(
        ("state", "answered", "standing"),
        [
            (State.VERIFYING, 400, Standing.RUNNING),
            (State.ESCALATED, 400, Standing.RUNNING),
            (State.VERIFYING, 399, Standing.MISSED),
            (State.MITIGATED, 400, Standing.MET),
            (State.RESOLVED, 400, Standing.MET),
            (State.MITIGATED, 399, Standing.MISSED),
        ],
    )
    def test_it_counts_what_was_accepted_and_never_answered(
        self, state: State, answered: int, standing: Standing
    ) -> None:
        incident = alter(INCIDENT, state=state)
        assert rpo(incident, SERVICE, accepted=400, answered=answered).standing is standing

    def test_as_many_as_allowed_are_allowed(self) -> None:
        lenient = alter(SERVICE, rpo_requests=2)
        assert rpo(MITIGATED, lenient, accepted=9, answered=7).standing is Standing.MET
        assert rpo(MITIGATED, lenient, accepted=9, answered=6).standing is Standing.MISSED

    @pytest.mark.parametrize(("accepted", "answered"), [(None, 1), (1, None), (1, 2)])
    def test_what_cannot_be_counted_is_unknown(
        self, accepted: int | None, answered: int | None
    ) -> None:
        judged = rpo(MITIGATED, SERVICE, accepted=accepted, answered=answered)
        assert judged.standing is Standing.UNKNOWN
