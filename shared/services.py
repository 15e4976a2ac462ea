"""The one place where clients are made: lazily, once a process, from the settings.

A responder gets `Services` as its argument and reads from it; what it never touches is never
imported. Also the owner of the clock: everything else takes `now` as an argument.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from shared.errors import Misconfigured
from shared.memory import Errands, Memory
from shared.settings import Settings, read_settings

if TYPE_CHECKING:
    from shared.adapters.app_events import AppEvents
    from shared.adapters.blobs import Blobs
    from shared.adapters.bus import Bus
    from shared.adapters.control_plane import ControlPlane
    from shared.adapters.doorbell import Doorbell
    from shared.adapters.endpoint import Endpoints
    from shared.adapters.fired_alerts import FiredAlerts
    from shared.adapters.lately import Lately
    from shared.adapters.logs import Logs
    from shared.adapters.pager import Pager
    from shared.adapters.pages import Pages
    from shared.adapters.scoring import Scoring
    from shared.adapters.search_index import SearchIndexes
    from shared.adapters.signer import Signer
    from shared.adapters.tables import Table, TableAccount
    from shared.adapters.teams import Teams
    from shared.adapters.tokens import Tokens
    from shared.adapters.vault_secrets import VaultSecrets
    from shared.domain.catalog import Catalog
    from shared.domain.diagnosis.telemetry import Query
    from shared.domain.health.golden import GoldenCases
    from shared.domain.redaction.redactor import Redactor

log = logging.getLogger("backstop.services")

CONTAINERS = ("seals", "ledger", "evidence")
TABLES = ("state", "deliveries", "ledger", "index")


class Services:
    """Every outside part that a responder may use. Tests hand over a subclass of fakes."""

    def __init__(self, settings: Settings | None = None) -> None:
        self._given = settings
        self.memory = Memory(self.now())
        self.errands = Errands()
        self.golden: dict[str, GoldenCases | None] = {}  # as far as they were read: see golden_of

    @cached_property
    def settings(self) -> Settings:
        """The settings; read at first use, so that importing the app needs none."""
        return self._given or read_settings()

    def now(self) -> datetime:
        """The time in UTC by the table service's clock, which is the same for every worker."""
        account = self.__dict__.get("account")  # without tables yet, this machine's own clock
        skew = account.clock.skew if account is not None else timedelta(0)
        return datetime.now(UTC) + skew

    @cached_property
    def credential(self) -> Any:  # noqa: ANN401 - an SDK's type
        """The app's own identity in Azure; None locally, where connection strings are used."""
        if self.settings.local:
            return None
        from azure.identity.aio import DefaultAzureCredential

        return DefaultAzureCredential()

    @cached_property
    def sync_credential(self) -> Any:  # noqa: ANN401 - an SDK's type
        """The same identity for azure-ai-ml, which knows no asyncio."""
        if self.settings.local:
            return None
        from azure.identity import DefaultAzureCredential

        return DefaultAzureCredential()

    @cached_property
    def account(self) -> TableAccount:
        """The storage account that holds all tables."""
        from shared.adapters.tables import TableAccount

        return TableAccount(self.settings.tables, self.credential, redactor=self.redactor)

    @cached_property
    def redactor(self) -> Redactor:
        """What takes secrets and personal data out of all that is stored or sent."""
        from shared.domain.redaction.redactor import Redactor

        return Redactor(key=self.settings.redaction_key.encode())

    @cached_property
    def state(self) -> Table:
        """What is true now, in 64 shards."""
        return self.account.table("state")

    @cached_property
    def deliveries(self) -> Table:
        """One row for every alert that was accepted."""
        return self.account.table("deliveries")

    @cached_property
    def ledger(self) -> Table:
        """What happened, hash-chained; written by the executor alone."""
        return self.account.table("ledger", verbatim=True)  # what commit redacted is hashed there

    @cached_property
    def blobs(self) -> Blobs:
        """Where seals and copies of the ledger are kept, apart from the tables; executor only."""
        from shared.adapters.blobs import Blobs

        if not self.settings.blobs:
            raise Misconfigured("BACKSTOP_BLOBS is not set: nothing is sealed")
        return Blobs(self.settings.blobs, self.credential)

    @cached_property
    def signer(self) -> Signer:
        """The key that seals are signed with; executor only. Raises Misconfigured."""
        from shared.adapters.signer import make_signer

        settings = self.settings
        return make_signer(settings.signing_key, self.credential, local=settings.local)

    @cached_property
    def secrets(self) -> VaultSecrets:
        """The app's own vault, asked whether it may be read. Raises Misconfigured."""
        from shared.adapters.vault_secrets import VaultSecrets

        return VaultSecrets(self.settings.vault, self.credential)

    @cached_property
    def index(self) -> Table:
        """Pointers to incidents, newest first; the truth is in `state`."""
        return self.account.table("index")

    @cached_property
    def bus(self) -> Bus:
        """The topics `work` and `changes`."""
        from shared.adapters.bus import Bus

        return Bus(self.settings.bus, self.credential)

    @cached_property
    def logs(self) -> Logs:
        """The workspace that the diagnostic queries read."""
        from shared.adapters.logs import Logs

        return Logs(
            self.settings.logs_workspace,
            credential=self.credential,
            endpoint=self.settings.logs_endpoint or None,
            lag_s=self.settings.log_lag_s,
            bin_s=self.settings.log_bin_s,
            redactor=self.redactor,
        )

    @cached_property
    def lately(self) -> Lately:
        """What the workspace answered a moment ago, for pages that nobody may wait for."""
        from shared.adapters.lately import Lately

        return Lately(self.logs.query)

    @cached_property
    def endpoints(self) -> Endpoints:
        """The endpoints whose traffic can be moved; executor only."""
        from shared.adapters.endpoint import Endpoints

        return Endpoints(self.sync_credential, self.settings.arm_endpoint or None)

    @cached_property
    def fired_alerts(self) -> FiredAlerts:
        """What Azure says that was fired, whoever was told of it."""
        from shared.adapters.fired_alerts import FiredAlerts

        where = self.settings.arm_endpoint or None
        return FiredAlerts(self.credential, where, redactor=self.redactor)

    @cached_property
    def control_plane(self) -> ControlPlane:
        """Azure Resource Manager, asked what may be done and which rules are on."""
        from shared.adapters.control_plane import ControlPlane

        return ControlPlane(self.credential, self.settings.arm_endpoint or None)

    @cached_property
    def doorbell(self) -> Doorbell:
        """Who rings at the responder's own door, without a token."""
        from shared.adapters.doorbell import Doorbell

        return Doorbell()

    @cached_property
    def scoring(self) -> Scoring:
        """The endpoints' scoring routes, for probes."""
        from shared.adapters.scoring import Scoring

        return Scoring(self._scoring_token if self.credential else "local")

    async def _scoring_token(self) -> str:
        token = await self.credential.get_token("https://ml.azure.com/.default")
        return str(token.token)

    def golden_of(self, service: str) -> GoldenCases | None:
        """A service's golden cases, read once a process; None where none can be read."""
        if service not in self.golden:
            from shared.adapters.golden_cases import read_golden

            cases, report = read_golden(self.settings.catalog, service)
            for mistake in report.mistakes:
                log.error("not asking %s what it should know: %s", service, mistake)
            self.golden[service] = cases
        return self.golden[service]

    @cached_property
    def search(self) -> SearchIndexes:
        """The search services whose indexes health checks look at; executor only."""
        from shared.adapters.search_index import SearchIndexes

        bearer = self._search_token if self.credential else "local"
        return SearchIndexes(bearer, self.settings.search_endpoint)

    async def _search_token(self) -> str:
        token = await self.credential.get_token("https://search.azure.com/.default")
        return str(token.token)

    @cached_property
    def app_events(self) -> AppEvents | None:
        """Where the product's own telemetry goes; None where no connection string is set."""
        from shared.adapters.app_events import AppEvents

        if not self.settings.insights:
            return None
        bearer = self._insights_token if self.credential else None
        return AppEvents(self.settings.insights, bearer)

    async def _insights_token(self) -> str:
        token = await self.credential.get_token("https://monitor.azure.com/.default")
        return str(token.token)

    @cached_property
    def teams(self) -> Teams:
        """The commander's channel."""
        from shared.adapters.teams import Teams

        return Teams(self.settings.teams_url, self.redactor)

    @cached_property
    def pager(self) -> Pager:
        """The pager, with its fallback."""
        from shared.adapters.pager import Pager

        urls = (self.settings.pager_url, self.settings.pager_fallback_url)
        return Pager(*urls, redactor=self.redactor)

    @cached_property
    def pages(self) -> Pages:
        """The console's pages."""
        from shared.adapters.pages import Pages

        return Pages()

    @cached_property
    def tokens(self) -> Tokens:
        """The check of callers' tokens. Raises Misconfigured where nobody can be let in."""
        from shared.adapters.tokens import Tokens
        from shared.domain.authority.claims import Expected

        known = self.settings
        for name, value in (("TENANT", known.tenant), ("AUDIENCE", known.audience)):
            if not value:
                raise Misconfigured(f"BACKSTOP_{name} is not set: every call is refused")
        expected = Expected(authority=known.authority, tenant=known.tenant, audience=known.audience)
        return Tokens(expected)

    @cached_property
    def catalog(self) -> Catalog:
        """The reviewed data, read once a process: a new file comes with a new deployment."""
        from shared.adapters.catalog import load_catalog

        catalog = load_catalog(self.settings.catalog)
        for mistake in catalog.mistakes:
            log.error("not acting on %s: %s", mistake.service or "a file", mistake)
        return catalog

    @cached_property
    def budget_query(self) -> Query:
        """The one query that counts every objective of the catalog, compiled once a process."""
        from shared.domain.slos.balance import further_windows
        from shared.domain.slos.burn_query import budget_query

        every = list(self.catalog.services.values())
        return budget_query(every, further_windows(every))

    async def prepare(self) -> None:
        """Make tables and containers; local world and deployment call this, responders never."""
        await self.account.create(*TABLES)
        if self.settings.blobs:
            await self.blobs.prepare(*CONTAINERS)

    async def close(self) -> None:
        """Close what was made, all at once; what still runs beside ends first."""
        await self.errands.close()
        clients = ("account", "bus", "lately", "logs", "endpoints", "scoring", "teams", "pager")
        more = ("search", "app_events", "fired_alerts", "control_plane", "blobs", "signer")
        last = ("secrets", "tokens", "credential")
        names = (*clients, *more, *last)
        made = [self.__dict__[name] for name in names if self.__dict__.get(name) is not None]
        await asyncio.gather(*(client.close() for client in made))
