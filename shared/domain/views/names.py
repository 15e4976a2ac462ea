"""Names: where people read, the id of a caller becomes what that person is called.

Records hold ids only. Just before a page or a card leaves, each id in it is replaced; where nobody
knows the name any more, the object id stays. It works on what is said, whoever said it, so that no
view has to think of it.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

_GUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_ID = re.compile(rf"\b{_GUID}/({_GUID})\b")


def ids_in(text: str) -> set[str]:
    """The ids of callers that a text names."""
    return {found[0] for found in _ID.finditer(text)}


def put_names(
    text: str, names: Mapping[str, str], escape: Callable[[str], str] = lambda name: name
) -> str:
    """The text with names for ids, each made safe by `escape`; the object id for who has none."""
    return _ID.sub(lambda found: escape(names.get(found[0], found[1])), text)


def put_names_in(value: Any, names: Mapping[str, str]) -> Any:  # noqa: ANN401 - what JSON can say
    """The same for every text in a card."""
    match value:
        case str():
            return put_names(value, names)
        case dict():
            return {key: put_names_in(inner, names) for key, inner in value.items()}
        case list():
            return [put_names_in(inner, names) for inner in value]
        case _:
            return value
