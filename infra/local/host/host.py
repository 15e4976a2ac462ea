"""The host itself: starts the worker and all triggers of one app, and stops them in order."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from infra.local.host.configuration import HostJson, Refused, Settings, read_host_json
from infra.local.host.timers import Timers
from infra.local.host.triggers import HttpTrigger, TimerTrigger, TopicTrigger, parse_triggers
from infra.local.host.web import WebServer, bind
from infra.local.host.worker import Worker

if TYPE_CHECKING:
    from infra.local.host.easy_auth import EasyAuth

log = logging.getLogger(__name__)

DRAIN_S = 5  # how long calls that run may take when the host stops
CLOSE_S = 2  # how long the app's own clients may take to close


class FunctionHost:
    """One function app, served. `start`, then `stop`; a host is not started twice."""

    def __init__(self, app_folder: Path, settings: Settings, port: int) -> None:
        self._app_folder = app_folder
        self._settings = settings
        self._port = port
        self._worker = Worker(app_folder)
        self._stops: list[Callable[[], Awaitable[None]]] = []

    async def start(self) -> str:
        """Serve the app and return its base URL, once it listens and all receivers are attached.

        Raises Refused when the app cannot be served as it is.
        """
        host_json = read_host_json(self._app_folder)
        listener = bind(self._port)
        await self._worker.start()
        triggers = parse_triggers(self._worker.bindings, self._settings)
        http = [trigger for trigger in triggers if isinstance(trigger, HttpTrigger)]
        prefix = host_json.extensions.http.route_prefix
        web = WebServer(self._worker, http, prefix, self._easy_auth())
        await web.start(listener)
        self._stops.append(web.stop)
        await self._receive([t for t in triggers if isinstance(t, TopicTrigger)], host_json)
        timers = Timers(self._worker, (t for t in triggers if isinstance(t, TimerTrigger)))
        timers.start()
        self._stops.append(timers.stop)
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    async def stop(self) -> None:
        """Stop all triggers together, then close the app's clients, then end its threads."""
        try:
            async with asyncio.timeout(DRAIN_S):
                await asyncio.gather(*(stop() for stop in self._stops))
        except TimeoutError:
            log.warning("calls still ran after %d s and were given up", DRAIN_S)
        await self._close_app()
        self._worker.stop()

    async def _receive(self, triggers: list[TopicTrigger], host_json: HostJson) -> None:
        if not triggers:
            return
        from infra.local.host.topics import Topics  # an app without topics need not load the SDK

        topics = Topics(self._worker, triggers, host_json)
        await topics.start()
        self._stops.append(topics.stop)

    def _easy_auth(self) -> "EasyAuth | None":
        """Easy Auth where the settings switch it on; any other app need not load what it needs."""
        if self._settings.get("WEBSITE_AUTH_ENABLED", "").lower() != "true":
            return None
        issuer = self._settings.get("BACKSTOP_AUTHORITY", "")
        if not issuer.startswith("http://127.0.0.1:"):
            raise Refused("WEBSITE_AUTH_ENABLED asks for a local issuer in BACKSTOP_AUTHORITY")
        from infra.local.host.easy_auth import EasyAuth

        return EasyAuth(issuer)

    async def _close_app(self) -> None:
        """Await the app's `close_services`, if it has one: its clients live on this loop."""
        close = getattr(self._worker.app_module(), "close_services", None)
        if close is None:
            return
        try:
            async with asyncio.timeout(CLOSE_S):
                await close()
        except TimeoutError:
            log.warning("the app's clients did not close within %d s", CLOSE_S)
