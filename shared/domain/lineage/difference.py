"""Differences: what changed between two releases of a service, field by field."""

import msgspec

from shared.domain.decisions.release import Release

# What a release is; the rest says who registered it, when and why.
CONTENTS = (
    "deployment",
    "model",
    "model_artifact",
    "prompt_revision",
    "dataset_version",
    "index_version",
    "flags_version",
    "configuration_digest",
)


class FieldChange(msgspec.Struct, frozen=True, kw_only=True):
    """One field that is not the same; "" where a release does not say it."""

    field: str
    a: str
    b: str


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Two releases compared: what differs, in a fixed order, and what both say alike."""

    service: str
    a: str
    b: str
    changes: tuple[FieldChange, ...]
    same: tuple[str, ...]


def compare_releases(a: Release, b: Release) -> Difference:
    """Compare two releases by their contents. What neither of them says is in no list."""
    values = [(name, str(getattr(a, name)), str(getattr(b, name))) for name in CONTENTS]
    return Difference(
        service=a.service,
        a=a.version,
        b=b.version,
        changes=tuple(
            FieldChange(field=name, a=before, b=after)
            for name, before, after in values
            if before != after
        ),
        same=tuple(name for name, before, after in values if before == after and before),
    )
