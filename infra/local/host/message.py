"""What a protobuf message is to the worker library: named fields, of which some exclude others.

As with protobuf, an unknown field is refused, and an unknown attribute raises AttributeError: the
library probes for some.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

NOTHING: Mapping[str, Any] = {}


class Message:
    """Base of all messages, declared with the names of its fields.

    `fields` maps each to its default (a class is called for one), `oneofs` a group's name to the
    fields that exclude one another, `constants` holds numbers whose names Python cannot spell.
    """

    _fields: ClassVar[Mapping[str, Any]] = NOTHING
    _oneofs: ClassVar[Mapping[str, tuple[str, ...]]] = NOTHING

    if TYPE_CHECKING:  # fields are set by name, so the type checker cannot see them

        def __getattr__(self, name: str) -> Any:
            """Any field."""

    def __init_subclass__(
        cls,
        *,
        fields: Mapping[str, Any] = NOTHING,
        oneofs: Mapping[str, tuple[str, ...]] = NOTHING,
        constants: Mapping[str, Any] = NOTHING,
    ) -> None:
        """Take the declaration of one message."""
        cls._fields = fields
        cls._oneofs = oneofs
        for name, value in constants.items():
            setattr(cls, name, value)

    def __init__(self, **values: Any) -> None:
        if unknown := values.keys() - self._fields.keys():
            raise ValueError(f"{type(self).__name__} has no field {', '.join(sorted(unknown))}")
        self._set = {name for name, value in values.items() if value is not None}
        for name, default in self._fields.items():
            setattr(self, name, values[name] if name in self._set else _fresh(default))

    def WhichOneof(self, group: str) -> str | None:  # noqa: N802 - protobuf's own name
        """Name the one field of the group that was set, or None."""
        return next((name for name in self._oneofs[group] if name in self._set), None)


def _fresh(default: Any) -> Any:
    return default() if isinstance(default, type) else default
