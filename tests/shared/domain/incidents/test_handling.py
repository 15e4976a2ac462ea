"""What people do with an incident: the first acknowledgement counts, command may be taken over."""

import msgspec

from shared.domain.event import EventKind
from shared.domain.incidents.handling import acknowledge, add_note, take_command
from shared.domain.incidents.incident import Incident, Page, State
from tests.shared.domain.incidents.incidents import NOW, at, opened

PAGED = msgspec.structs.replace(opened(), pages=(Page(contact="On call", at=at(1), reason="SEV1"),))
ENDED = msgspec.structs.replace(opened(), state=State.RESOLVED)


def acknowledged() -> Incident:
    step = acknowledge(PAGED, who="ada", now=NOW)
    assert step.incident is not None
    return step.incident


def test_an_acknowledgement_answers_the_pages() -> None:
    incident = acknowledged()
    assert (incident.acknowledged_by, incident.acknowledged_at) == ("ada", NOW)
    assert incident.pages[0].acknowledged_at == NOW


def test_a_page_that_the_pager_refused_is_never_answered() -> None:
    refused = Page(contact="On call", at=at(1), reason="SEV1", refused=True)
    step = acknowledge(
        msgspec.structs.replace(PAGED, pages=(refused, *PAGED.pages)), who="ada", now=NOW
    )
    assert step.incident is not None
    assert [page.acknowledged_at for page in step.incident.pages] == [None, NOW]


def test_the_first_acknowledgement_counts() -> None:
    again = acknowledge(acknowledged(), who="ben", now=at(60))
    assert again.incident is None
    assert again.reason == "already acknowledged by ada"


def test_taking_command_acknowledges() -> None:
    step = take_command(PAGED, who="ada", now=NOW)
    assert step.incident is not None
    assert (step.incident.commander, step.incident.acknowledged_by) == ("ada", "ada")
    assert step.incident.pages[0].acknowledged_at == NOW
    assert step.events[0].kind is EventKind.COMMANDED
    assert step.events[0].after == {"commander": "ada"}


def test_command_may_be_taken_over_and_keeps_who_acknowledged() -> None:
    led = msgspec.structs.replace(acknowledged(), commander="ada")
    step = take_command(led, who="ben", now=at(60))
    assert step.incident is not None
    assert (step.incident.commander, step.incident.acknowledged_by) == ("ben", "ada")
    assert step.events[0].why == "taken over from ada"


def test_who_has_command_need_not_take_it() -> None:
    led = msgspec.structs.replace(opened(), commander="ada")
    assert take_command(led, who="ada", now=NOW).incident is None


def test_a_note_is_kept_and_the_event_does_not_repeat_it() -> None:
    step = add_note(opened(), "called Vera, she sees it too", who="ada", now=NOW)
    assert step.incident is not None
    assert step.incident.notes[0].text == "called Vera, she sees it too"
    assert "Vera" not in msgspec.json.encode(step.events).decode()


def test_a_note_may_be_written_after_the_end() -> None:
    assert add_note(ENDED, "for the review", who="ada", now=NOW).incident is not None


def test_after_the_end_there_is_nothing_to_acknowledge_or_command() -> None:
    assert acknowledge(ENDED, who="ada", now=NOW).incident is None
    assert take_command(ENDED, who="ada", now=NOW).incident is None


def test_notes_end_before_they_make_an_incident_that_no_table_holds() -> None:
    from shared.domain.incidents.handling import NOTES_HOLD, add_note
    from shared.domain.incidents.incident import Note
    from tests.fakes.scene import INCIDENT, NOW

    long = Note(author="ada", at=NOW, text="\U0001f600" * 4_000)
    few = msgspec.structs.replace(INCIDENT, notes=(long,))
    room = NOTES_HOLD // len(msgspec.json.encode(long))
    full = msgspec.structs.replace(INCIDENT, notes=(long,) * room)

    assert add_note(few, long.text, who="ada", now=NOW).incident is not None
    refused = add_note(full, long.text, who="ada", now=NOW)
    assert refused.incident is None
    assert "elsewhere" in refused.reason
