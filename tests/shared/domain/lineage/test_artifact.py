"""Artifacts: by what a release is found again."""

from shared.domain.lineage.artifact import artifacts_of
from tests.shared.domain.lineage.looks import ONE, release


def test_a_release_is_made_of_what_it_names() -> None:
    full = release("1.0", "v1", dataset_version="d7", model="gpt-4.1", model_artifact="fnol:7")

    assert [(one.kind, one.name) for one in artifacts_of(full)] == [
        ("dataset", "d7"),
        ("prompt", "p-1.0"),
        ("model", "gpt-4.1"),
        ("model", "fnol:7"),
    ]


def test_what_it_does_not_name_is_nothing() -> None:
    assert [one.kind for one in artifacts_of(ONE)] == ["prompt"]


def test_a_model_that_is_its_own_artifact_is_one() -> None:
    same = release("1.0", "v1", model="fnol:7", model_artifact="fnol:7", prompt_revision="")

    assert len(artifacts_of(same)) == 1
