"""Differences: two releases, field by field."""

import msgspec

from shared.domain.decisions.release import Registration
from shared.domain.lineage.difference import CONTENTS, compare_releases
from tests.shared.domain.lineage.looks import ONE, release

ABOUT = {"service", "version", "why", "canary", "started_by"}  # not what is served


def test_what_differs_is_named_with_both_values_and_what_is_alike_by_its_name() -> None:
    other = release("1.1", "v1", configuration_digest="c-1.0", dataset_version="d8")

    found = compare_releases(ONE, other)

    assert (found.a, found.b, found.service) == ("1.0", "1.1", "fnol-summary")
    assert [(one.field, one.a, one.b) for one in found.changes] == [
        ("prompt_revision", "p-1.0", "p-1.1"),
        ("dataset_version", "", "d8"),
    ]
    assert found.same == ("deployment", "configuration_digest")


def test_a_release_differs_from_itself_in_nothing() -> None:
    assert compare_releases(ONE, ONE).changes == ()


def test_every_content_of_a_release_is_compared() -> None:
    fields = {field.name for field in msgspec.structs.fields(Registration)}

    assert fields - ABOUT == set(CONTENTS)
