"""Artifacts: the dataset, prompt and model of a release, by which its users are found again.

A release names them as opaque text. `shared.protocol.lineage` keeps a row for each of them, written
with the release; the API's questions name them by the same kinds.
"""

from enum import StrEnum

import msgspec

from shared.domain.decisions.release import Release
from shared.domain.keys import digest


class ArtifactKind(StrEnum):
    """What an endpoint version is made of."""

    DATASET = "dataset"
    PROMPT = "prompt"
    MODEL = "model"


class Artifact(msgspec.Struct, frozen=True, kw_only=True):
    """One of them, by the name that releases give it."""

    kind: ArtifactKind
    name: str


def artifacts_of(release: Release) -> tuple[Artifact, ...]:
    """What a release is made of; a model is found by its name and by its artifact."""
    models = dict.fromkeys((release.model, release.model_artifact))
    named = [
        (ArtifactKind.DATASET, release.dataset_version),
        (ArtifactKind.PROMPT, release.prompt_revision),
        *((ArtifactKind.MODEL, model) for model in models),
    ]
    return tuple(Artifact(kind=kind, name=name) for kind, name in named if name)


def release_id(release: Release) -> str:
    """32 hex digits by which a release is asked for where no address could hold its version."""
    return digest(release.version)
