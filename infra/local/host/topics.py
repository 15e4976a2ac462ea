"""The Service Bus side of the host: receive, invoke, settle, as Azure's host does.

Completed when the function returns, abandoned at once when it raises, without back-off; the lock is
renewed while the function runs. Several receivers serve a subscription, each with one message at a
time: with one link for all, the SDK holds messages back while another one is being settled. A batch
has one receiver.
"""

import asyncio
import logging
from collections.abc import Iterable

from azure.servicebus.aio import ServiceBusClient, ServiceBusReceiver
from azure.servicebus.exceptions import MessageLockLostError

from infra.local.host.attachment import Attachment
from infra.local.host.configuration import HostJson
from infra.local.host.deliveries import Messages, call_with
from infra.local.host.locks import locks_renewed
from infra.local.host.triggers import TopicTrigger
from infra.local.host.waiting import happens_within
from infra.local.host.worker import InvocationFailed, Worker

log = logging.getLogger(__name__)

RECEIVERS = 4  # a subscription, where host.json allows as many concurrent calls
LISTEN_S = 0.5  # one wait for a message; a stop may have to wait that long for an idle receiver
GATHER_S = 0.02  # how long a batch waits for company
FIRST_BACKOFF_S = 0.2
LAST_BACKOFF_S = 5.0


class Receiver:
    """One receiver of one subscription: opens its link, serves, opens another when it breaks."""

    def __init__(
        self,
        name: str,
        client: ServiceBusClient,
        trigger: TopicTrigger,
        worker: Worker,
        host_json: HostJson,
    ) -> None:
        self.name = name
        self._client = client
        self._trigger = trigger
        self._worker = worker
        self._batch_size = host_json.extensions.service_bus.max_message_batch_size
        self._renew_for = host_json.lock_renewal
        self._backoff_s = FIRST_BACKOFF_S

    async def run(self, attachment: Attachment, stopping: asyncio.Event) -> None:
        """Serve until `stopping` is set, through any number of outages."""
        while not stopping.is_set():
            try:
                await self._serve(attachment, stopping)
            except Exception as error:  # noqa: BLE001 - outermost loop: whatever broke the link, open another
                attachment.lost(self.name, error)
                await happens_within(stopping, self._backoff_s)
                self._backoff_s = min(2 * self._backoff_s, LAST_BACKOFF_S)

    async def _serve(self, attachment: Attachment, stopping: asyncio.Event) -> None:
        link = self._client.get_subscription_receiver(
            self._trigger.topic, self._trigger.subscription
        )
        async with link:
            attachment.gained(self.name)
            self._backoff_s = FIRST_BACKOFF_S
            while not stopping.is_set():
                if messages := await self._receive(link):
                    await self._deliver(link, messages)

    async def _receive(self, link: ServiceBusReceiver) -> Messages:
        messages = await link.receive_messages(1, max_wait_time=LISTEN_S)
        if messages and self._trigger.batch and self._batch_size > 1:
            messages += await link.receive_messages(self._batch_size - 1, max_wait_time=GATHER_S)
        return messages

    async def _deliver(self, link: ServiceBusReceiver, messages: Messages) -> None:
        async with locks_renewed(link, messages, self._renew_for):
            succeeded = await self._invoke(messages)
        await settle(link, messages, succeeded=succeeded)

    async def _invoke(self, messages: Messages) -> bool:
        try:
            await self._worker.invoke(call_with(self._trigger, messages))
        except InvocationFailed as failure:
            deliveries = (messages[0].delivery_count or 0) + 1
            log.error(  # noqa: TRY400 - the app's trace, not ours
                "%s failed (delivery %d of %s): %s\n%s",
                self._trigger.function,
                deliveries,
                messages[0].message_id,
                failure,
                failure.trace,
            )
            return False
        return True


async def settle(link: ServiceBusReceiver, messages: Messages, *, succeeded: bool) -> None:
    """Complete or abandon all. A message whose lock is gone comes again; that is said, no more."""
    for message in messages:
        try:
            if succeeded:
                await link.complete_message(message)
            else:
                await link.abandon_message(message)
        except MessageLockLostError:
            log.warning("message %s lost its lock and will come again", message.message_id)


class Topics:
    """All receivers of the app, and the clients they share."""

    def __init__(
        self, worker: Worker, triggers: Iterable[TopicTrigger], host_json: HostJson
    ) -> None:
        self._clients: dict[str, ServiceBusClient] = {}
        self._stopping = asyncio.Event()
        self._receivers = [
            Receiver(
                f"{trigger.function}/{lane}", self._client(trigger), trigger, worker, host_json
            )
            for trigger in triggers
            for lane in range(_lanes(trigger, host_json))
        ]

    async def start(self) -> None:
        """Return when every receiver is attached, however long the bus takes to come up."""
        attachment = Attachment(receiver.name for receiver in self._receivers)
        self._running = [
            asyncio.create_task(receiver.run(attachment, self._stopping))
            for receiver in self._receivers
        ]
        await attachment.complete.wait()

    async def stop(self) -> None:
        """Let calls that run finish, then close all links together."""
        self._stopping.set()
        await asyncio.gather(*self._running)
        await asyncio.gather(*(client.close() for client in self._clients.values()))

    def _client(self, trigger: TopicTrigger) -> ServiceBusClient:
        connection = trigger.connection
        if connection not in self._clients:
            # No retries of the SDK: this host tries again on a fresh link, and says so once.
            self._clients[connection] = ServiceBusClient.from_connection_string(
                connection, retry_total=0
            )
        return self._clients[connection]


def _lanes(trigger: TopicTrigger, host_json: HostJson) -> int:
    calls = host_json.extensions.service_bus.max_concurrent_calls
    return 1 if trigger.batch else min(RECEIVERS, calls)
