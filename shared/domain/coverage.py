"""Coverage: what something that people set is for, one service or all of them.

Kill switches, change freezes and legal holds are stored by their scope, and asked whom they cover.
"""

EVERYTHING = "*"
NEVER_SET = {"on": False}  # what events say was before, where nothing was


def covers(scope: str, service: str) -> bool:
    """Whether what is set for the scope holds for the service."""
    return scope in (EVERYTHING, service)


def say_scope(scope: str, title: str = "") -> str:
    """The scope for people; `title` is the service's, where it is known."""
    return "all services" if scope == EVERYTHING else title or scope
