"""A storm of ten minutes, then a blackout of sixteen: nothing is lost, nothing comes twice.

Alerts fire every minute as the rules of a whole subscription would. In the blackout no action group
calls; the sweep has as many calls as Azure allows, and times that differ by seconds.
"""

from collections import Counter
from datetime import timedelta
from random import Random
from typing import Any

import msgspec
import pytest

from infra.local.alerts import LogAlert
from responders.repair.sweep import sweep
from shared.domain.alerts.alert import Alert, parse_alert
from shared.domain.alerts.fired_alert import SETTLED
from shared.domain.event import EventKind
from shared.protocol.intake import Delivery, accept
from shared.protocol.leftovers import Leftovers
from tests.batteries.playing import Broken, stored
from tests.batteries.soak import SOAK
from tests.fakes import FakeServices
from tests.fakes.scene import NOW, TARGET, new_services
from tests.fakes.scene import told as told_by
from tests.responders.repair.test_sweep import SUBSCRIPTION, entry

A_MINUTE = 15 * SOAK  # Azure calls at most 1,500 webhooks a minute and subscription
AFTERWARDS = 3  # a minute, once the storm is over
STORM, BLACKOUT, AFTER = 10, 16, 30  # minutes
TICK_S = 10.0
CALLS_A_TICK = 13
EVERY_S = 300.0
NOTHING = Leftovers(messages={}, effects=[], intents=[])


class Storm:
    """One subscription, three workers that answer webhooks, and one that ticks."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)  # noqa: S311 - the same seed must give the same storm
        self.services: FakeServices = new_services(sweep_every_s=EVERY_S)
        self.outside = self.services.outside
        self.fired: list[LogAlert] = []
        self._workers = [self.services.another(f"worker-{number}") for number in range(3)]
        self._listed: list[Any] = []
        self.outside.fired_alerts.entries[SUBSCRIPTION] = self._listed

    async def minute(self, count: int, *, delivering: bool) -> None:
        """Let a minute pass in which so many alerts fire."""
        for _ in range(count):
            alert = self._fire()
            if delivering:
                await self._deliver(alert)
        for _ in range(round(60 / TICK_S)):
            self.outside.wait(TICK_S)
            self.outside.fired_alerts.allowed = CALLS_A_TICK
            await sweep(self.services, NOTHING)

    def _fire(self) -> LogAlert:
        number = len(self.fired)
        ago = timedelta(seconds=self.chance.uniform(0, 60))
        alert = LogAlert(
            number=f"00000000-0000-0000-0000-{number:012d}",
            rule=f"rule-{number % 40}",
            target=TARGET,
            fired_at=self.outside.now - ago,
            dimensions={"slice": str(number % 7)},
        )
        self.fired.append(alert)
        self._listed.insert(0, entry(alert, off=self.chance.uniform(-5, 5)))
        return alert

    async def _deliver(self, alert: LogAlert) -> None:
        """By two action groups, to whichever worker."""
        for worker in self.chance.sample(self._workers, self.chance.choice((1, 2))):
            await accept(worker, posted(alert))


def posted(alert: LogAlert) -> Alert:
    return parse_alert(msgspec.json.encode(alert.body()), NOW)


@pytest.mark.parametrize("seed", range(2))
async def test_a_storm_and_a_blackout_lose_nothing_and_double_nothing(seed: int) -> None:
    storm = Storm(seed)
    for delivering, minutes in ((True, STORM), (False, BLACKOUT)):
        for _ in range(minutes):
            await storm.minute(A_MINUTE, delivering=delivering)
    for _ in range(AFTER):
        await storm.minute(AFTERWARDS, delivering=True)

    check(storm)


def check(storm: Storm) -> None:
    """What must hold in the end. Raises Broken."""
    deliveries = stored(storm.outside.deliveries, "", Delivery)
    came = Counter(delivery.alert.identity for delivery in deliveries)
    wanted = {posted(alert).identity for alert in storm.fired}
    if twice := [identity for identity, count in came.items() if count > 1]:
        raise Broken(f"{len(twice)} alerts came twice")
    if lost := wanted - set(came):
        raise Broken(f"{len(lost)} of {len(wanted)} alerts were lost")
    swept = [delivery for delivery in deliveries if delivery.source == "sweep"]
    if len(swept) != BLACKOUT * A_MINUTE:
        raise Broken(f"{len(swept)} alerts were swept of {BLACKOUT * A_MINUTE} never delivered")
    told = [one for one in told_by(storm.services) if one.kind is EventKind.ALERT_SWEPT]
    if {str(one.evidence["delivery"]) for one in told} != {one.key for one in swept}:
        raise Broken("what was swept is not what was told")
    longest = SETTLED + timedelta(seconds=EVERY_S + 60)
    late = [one for one in swept if one.accepted_at - one.alert.at > longest]
    if SOAK == 1 and late:  # a storm at full scale takes several minutes to be read
        raise Broken(f"{len(late)} alerts were found later than {longest} after they fired")
