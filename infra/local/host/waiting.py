"""The one way that this host waits: for something to happen, at most so long."""

import asyncio


async def happens_within(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event. Returns whether it is set; False once the time is over."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
