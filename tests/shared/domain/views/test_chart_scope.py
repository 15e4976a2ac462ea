"""What an incident's chart is about, from its onset to some bins after its end."""

from datetime import datetime, timedelta

from msgspec.structs import replace

from shared.domain.decisions.intent import Intent, IntentState
from shared.domain.incidents.incident import Incident
from shared.domain.slos.slo import Slo
from shared.domain.views.chart import Focus, Window
from shared.domain.views.chart_scope import LONGEST, focus_of, marks_of, window_of
from shared.domain.views.incident_page import Dossier
from tests.shared.domain.incidents.situations import DIAGNOSIS, INCIDENT, NOW, PLAN, SERVICE


def test_the_moments_of_an_incident_come_in_their_order() -> None:
    moved = INCIDENT.opened_at + timedelta(seconds=20)
    incident = replace(
        INCIDENT, after={"v1": 100}, recovered_at=INCIDENT.opened_at + timedelta(minutes=2)
    )
    intent = Intent(
        plan=PLAN, fence=1, opened_at=moved, ended_at=moved, state=IntentState.CONFIRMED
    )
    texts = [mark.text for mark in marks_of(incident, intent)]
    assert texts == ["breach began", "incident opened", "traffic back on v1", "recovered"]


def test_an_incident_whose_onset_is_not_known_is_marked_from_its_opening() -> None:
    incident = replace(INCIDENT, onset_at=None)
    assert [mark.text for mark in marks_of(incident, None)] == ["incident opened"]


def test_the_window_reaches_from_before_the_onset_to_now() -> None:
    now = INCIDENT.opened_at + timedelta(minutes=5)
    window = window_of(INCIDENT, 60.0, now)
    assert INCIDENT.onset_at is not None
    assert window == Window(start=INCIDENT.onset_at - timedelta(minutes=30), end=now)


def test_the_window_ends_some_bins_after_the_recovery() -> None:
    recovered = INCIDENT.opened_at + timedelta(minutes=5)
    window = window_of(over_at(recovered), 60.0, recovered + timedelta(hours=3))
    assert window is not None
    assert window.end == recovered + timedelta(minutes=20)


def test_an_incident_of_long_ago_has_no_chart() -> None:
    now = INCIDENT.opened_at + LONGEST
    assert window_of(over_at(INCIDENT.opened_at), 60.0, now) is None


def test_the_focus_is_on_the_versions_of_the_plan() -> None:
    intent = Intent(plan=PLAN, fence=1, opened_at=NOW)
    focus = focus_of(Dossier(incident=INCIDENT, service=SERVICE, intent=intent))
    assert (focus.bad, focus.good) == ("v2", "v1")


def test_before_there_is_a_plan_it_is_on_the_blamed_version_and_region() -> None:
    quick = Slo(name="latency", sli="latency", objective=0.95, latency_ms=2000.0)
    service = replace(SERVICE, slos=(*SERVICE.slos, quick))
    focus = focus_of(Dossier(incident=INCIDENT, service=service, diagnosis=DIAGNOSIS))
    assert focus == Focus(bad="v2", region="swedencentral", limit_ms=2000.0)


def test_where_several_regions_are_hurt_all_are_shown() -> None:
    wide = replace(DIAGNOSIS, regions_hit=("swedencentral", "westeurope"))
    assert focus_of(Dossier(incident=INCIDENT, diagnosis=wide)).region == ""


def over_at(recovered: datetime) -> Incident:
    return replace(INCIDENT, recovered_at=recovered)
