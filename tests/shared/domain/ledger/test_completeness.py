"""Completeness: what an event lacks is named, and who tells of a change says from what to what."""

from datetime import datetime

import pytest

from shared.domain.event import EventKind
from shared.domain.ledger.completeness import CHANGES, COMES_TO_BE, RESTS_ON_POLICY, complete
from tests.shared.domain.decisions.worked_case import alter
from tests.shared.domain.ledger.worked_chain import event


class TestComplete:
    def test_who_what_why_and_when_are_all_there(self) -> None:
        assert complete(event(1)) == ()

    @pytest.mark.parametrize(
        ("changes", "missing"),
        [
            ({"actor": ""}, ("who",)),
            ({"what": "  "}, ("what",)),
            ({"why": ""}, ("why",)),
            ({"happened_at": datetime(2026, 11, 23)}, ("when",)),  # noqa: DTZ001 - on purpose
            ({"recorded_at": datetime(2026, 11, 23)}, ("when",)),  # noqa: DTZ001 - on purpose
            ({"actor": "", "why": ""}, ("who", "why")),
            ({"actor": "tenant/ana"}, ("role",)),
            ({"actor": "tenant/ana", "role": "Responder"}, ()),
            ({"actor": "tenant/ana", "kind": EventKind.ACCESS_REFUSED}, ()),
        ],
    )
    def test_what_is_missing_is_named(
        self, changes: dict[str, object], missing: tuple[str, ...]
    ) -> None:
        assert complete(alter(event(1), **changes)) == missing

    @pytest.mark.parametrize("kind", sorted(RESTS_ON_POLICY))
    def test_what_rests_on_a_policy_names_it_with_its_hash(self, kind: EventKind) -> None:
        assert complete(event(1, kind=kind)) == ()
        assert complete(event(1, kind=kind, policy="")) == ("policy",)
        assert complete(event(1, kind=kind, policy_hash="")) == ("policy",)

    @pytest.mark.parametrize("kind", sorted(CHANGES))
    def test_a_change_says_what_was_before_and_what_is_after(self, kind: EventKind) -> None:
        assert complete(event(1, kind=kind)) == ()
        assert complete(event(1, kind=kind, before={})) == ("before",)
        assert complete(event(1, kind=kind, before={}, after={})) == ("before", "after")

    @pytest.mark.parametrize("kind", sorted(COMES_TO_BE))
    def test_what_comes_into_being_has_nothing_before(self, kind: EventKind) -> None:
        assert complete(event(1, kind=kind, before={})) == ()
        assert complete(event(1, kind=kind, after={})) == ("after",)

    def test_what_only_tells_needs_neither(self) -> None:
        assert complete(event(1, kind=EventKind.NOTED, before={}, after={})) == ()
