"""Ways: which functions of Backstop led to a call, read off the stack, the responder's first."""

import asyncio
import contextvars
import sys
from types import FrameType
from typing import Any, override

from tests.simulation.crossing.effects import ROOMS, ROOT
from tests.simulation.loop import BlindLoop, VirtualLoop

BEGINNING = BlindLoop._run_once.__code__  # of every task: nothing of Backstop is below it
OURS = tuple(f"{ROOT}/{room}/" for room in ROOMS)

# By whom of Backstop a task was begun: what its own stack does not show.
_begun_by: contextvars.ContextVar[tuple[str, ...]] = contextvars.ContextVar("begun", default=())


def way_here() -> tuple[str, ...]:
    """The functions of Backstop that led here, the responder's first."""
    names, begun = _names_here(), _begun_by.get()
    if not begun:
        return names
    return begun[:1] + names if names else begun


def _names_here() -> tuple[str, ...]:
    frame: FrameType | None = sys._getframe(3)
    names: list[tuple[bool, str]] = []
    while frame is not None and frame.f_code is not BEGINNING:
        path = frame.f_code.co_filename
        if path.startswith(OURS):
            names.append((path.startswith(OURS[0]), frame.f_code.co_name))
        frame = frame.f_back
    names.reverse()
    first = next((number for number, (responder, _) in enumerate(names) if responder), 0)
    return tuple(name for _, name in names[first:])


class WayLoop(VirtualLoop):
    """Lets a task that Backstop begins remember who began it."""

    @override
    def create_task(self, coro: Any, **options: Any) -> "asyncio.Task[Any]":
        context = options.pop("context", None) or contextvars.copy_context()
        context.run(_begun_by.set, way_here())
        return super().create_task(coro, context=context, **options)
