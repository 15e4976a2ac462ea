"""The emulator as one thing to start, stop and break: a listening socket in front of a broker.

It stands in for Azure Service Bus on this machine. The client libraries talk to it unmodified; the
same connection string setting points them at a real namespace.
"""

import asyncio
from collections.abc import Mapping

from infra.local.bus.broker import Broker
from infra.local.bus.connection import Connection

_SHORTEST_SLEEP_S = 0.001


class Emulator:
    """A Service Bus namespace with the topology of `config`; port 0 takes any free port."""

    def __init__(
        self, config: Mapping[str, object], *, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self.broker = Broker(config)
        self.port = port
        self._host = host
        self.connections: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self._timer: asyncio.Handle | None = None
        self._out = False

    @property
    def connection_string(self) -> str:
        """What clients connect with; the key is no secret, any is accepted."""
        return (
            f"Endpoint=sb://{self._host}:{self.port};"
            "SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=SAS_KEY_VALUE;"
            "UseDevelopmentEmulator=true;"
        )

    async def start(self) -> None:
        """Listen."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._accept, self._host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        self.broker.clock.on_change = self._wake
        self._wake()

    async def stop(self) -> None:
        """Stop listening, and drop all connections and messages."""
        self.broker.clock.on_change = lambda: None
        if self._timer is not None:
            self._timer.cancel()
        self.disconnect_all()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def disconnect_all(self) -> None:
        """Break all connections; what was stored stays stored."""
        for connection in list(self.connections):
            connection.abort()

    def begin_outage(self) -> None:
        """Break all connections, and every new one too, until `end_outage`."""
        self._out = True
        self.disconnect_all()

    def end_outage(self) -> None:
        """Be reachable again."""
        self._out = False

    def _accept(self) -> asyncio.Protocol:
        return _Refused() if self._out else Connection(self.broker, self.connections)

    def _wake(self) -> None:
        """Look at the clock's list again: something earlier came onto it."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_soon(self._run_due)

    def _run_due(self) -> None:
        delay = self.broker.clock.run_due()
        if self._timer is not None:  # what just ran may have asked for another look
            self._timer.cancel()
        self._timer = None
        if delay is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(delay, _SHORTEST_SLEEP_S), self._run_due)


class _Refused(asyncio.Protocol):
    """A connection during an outage: broken as soon as it is made."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            transport.abort()
