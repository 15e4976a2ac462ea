"""One process in a made-up world: `Services` of fakes, with a clock that is set by hand."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import Any, override

import msgspec

from shared.adapters.pages import Pages
from shared.domain.catalog import Catalog, Service
from shared.domain.decisions.endpoint import EndpointSnapshot
from shared.domain.redaction.redactor import Redactor
from shared.services import Services
from shared.settings import Role, Settings
from tests.fakes.blobs import FakeBlobs
from tests.fakes.bus import FakeBus
from tests.fakes.control_plane import FakeControlPlane, FakeDoorbell
from tests.fakes.endpoints import FakeEndpoints
from tests.fakes.fired_alerts import FakeFiredAlerts
from tests.fakes.logs import FakeLogs
from tests.fakes.people import FakePager, FakeTeams
from tests.fakes.scoring import FakeScoring
from tests.fakes.search import FakeAppEvents, FakeSearch
from tests.fakes.signer import FakeSecrets, FakeSigner
from tests.fakes.tables import FakeTable
from tests.fakes.turns import Turns

_pages = cache(Pages)  # templates take long to compile, and hold nothing of anybody
REDACTION_KEY = "a key of the tests, and of nobody else"


def make_settings(**changes: Any) -> Settings:
    """Settings that suit the fakes."""
    usual = Settings(
        role=Role.EXECUTOR,
        tables="fake",
        bus="fake",
        logs_workspace="fake",
        logs_endpoint="",
        arm_endpoint="",
        teams_url="",
        pager_url="",
        pager_fallback_url="",
        pager_keys={},
        public_url="https://backstop.example",
        catalog=Path("fake"),
        instance="one",
        log_lag_s=120.0,
        log_bin_s=60.0,
        lease_s=120.0,
        write_deadline_s=60.0,
        watch_every_s=0.0,
        patience_s=60.0,
        local=True,
        sweep_every_s=0.0,
        budget_every_s=0.0,
        redaction_key=REDACTION_KEY,
    )
    return msgspec.structs.replace(usual, **changes)


def catalog_of(*services: Service) -> Catalog:
    """A catalog without mistakes."""
    return Catalog(services={service.name: service for service in services})


class Outside:
    """All that the processes of one world share. `now` is everybody's clock."""

    def __init__(
        self,
        *,
        now: datetime,
        snapshot: EndpointSnapshot,
        services: Iterable[Service],
        turns: Turns | None = None,
    ) -> None:
        self.now = now
        self.catalog = catalog_of(*services)
        self.turns = turns or Turns()
        self.redactor = Redactor(key=REDACTION_KEY.encode())
        self.state = FakeTable("state", self.turns, self.redactor)
        self.deliveries = FakeTable("deliveries", self.turns, self.redactor)
        self.ledger = FakeTable("ledger", self.turns)
        self.index = FakeTable("index", self.turns, self.redactor)
        self.blobs = FakeBlobs(self.turns)
        self.signer = FakeSigner(self.turns)
        self.secrets = FakeSecrets(self.turns)
        self.bus = FakeBus(self.turns)
        self.logs = FakeLogs(self.turns, self.redactor)
        self.endpoints = FakeEndpoints(self.turns, snapshot)
        self.fired_alerts = FakeFiredAlerts(self.turns)
        self.control_plane = FakeControlPlane(self.turns)
        self.doorbell = FakeDoorbell(self.turns)
        self.scoring = FakeScoring(self.turns, self.endpoints)
        self.search = FakeSearch(self.turns)
        self.app_events = FakeAppEvents(self.turns)
        self.teams = FakeTeams(self.turns, self.redactor)
        self.pager = FakePager(self.turns, self.redactor)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)

    def tables_out(self, out: bool) -> None:
        """Take all tables away, or bring them back."""
        for table in (self.state, self.deliveries, self.ledger, self.index):
            table.out = out


class FakeServices(Services):
    """The services of one process that lives in `outside`."""

    def __init__(self, outside: Outside, settings: Settings | None = None) -> None:
        self.outside = outside
        super().__init__(settings or make_settings())

    def another(self, instance: str) -> "FakeServices":
        """Another process in the same world."""
        changed = msgspec.structs.replace(self.settings, instance=instance)
        return FakeServices(self.outside, changed)

    @override
    def now(self) -> datetime:
        return self.outside.now

    @cached_property
    def pages(self) -> Pages:
        return _pages()

    @cached_property
    def state(self) -> FakeTable:
        return self.outside.state

    @cached_property
    def deliveries(self) -> FakeTable:
        return self.outside.deliveries

    @cached_property
    def ledger(self) -> FakeTable:
        return self.outside.ledger

    @cached_property
    def blobs(self) -> FakeBlobs:
        return self.outside.blobs

    @cached_property
    def signer(self) -> FakeSigner:
        return self.outside.signer

    @cached_property
    def secrets(self) -> FakeSecrets:
        return self.outside.secrets

    @cached_property
    def index(self) -> FakeTable:
        return self.outside.index

    @cached_property
    def bus(self) -> FakeBus:
        return self.outside.bus

    @cached_property
    def logs(self) -> FakeLogs:
        return self.outside.logs

    @cached_property
    def endpoints(self) -> FakeEndpoints:
        return self.outside.endpoints

    @cached_property
    def fired_alerts(self) -> FakeFiredAlerts:
        return self.outside.fired_alerts

    @cached_property
    def control_plane(self) -> FakeControlPlane:
        return self.outside.control_plane

    @cached_property
    def doorbell(self) -> FakeDoorbell:
        return self.outside.doorbell

    @cached_property
    def search(self) -> FakeSearch:
        return self.outside.search

    @cached_property
    def app_events(self) -> FakeAppEvents:
        return self.outside.app_events

    @cached_property
    def scoring(self) -> FakeScoring:
        return self.outside.scoring

    @cached_property
    def teams(self) -> FakeTeams:
        return self.outside.teams

    @cached_property
    def pager(self) -> FakePager:
        return self.outside.pager

    @property
    @override
    def catalog(self) -> Catalog:
        return self.outside.catalog
