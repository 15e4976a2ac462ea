"""The case: everything that a decision about one incident may rest on, gathered and frozen.

The shell gathers a `Case`, `shared.domain.decisions.decide` judges it. What could not be gathered
is None, and None never speaks for acting. The properties name what several rules need in the same
words.
"""

from datetime import datetime

import msgspec

from shared.domain.approvals.approval import Approval
from shared.domain.catalog import CatalogMistake, Mode, RollbackPolicy, Service
from shared.domain.decisions.control import Controls
from shared.domain.decisions.endpoint import EndpointSnapshot, ProbeReport
from shared.domain.decisions.intent import EndpointRecord
from shared.domain.decisions.release import Release
from shared.domain.diagnosis.diagnosis import Cause, Diagnosis
from shared.domain.freezes.frozen import Frozen
from shared.domain.incidents.incident import Incident
from shared.domain.incidents.requests import RollbackRequest
from shared.domain.noise.quiet import Quiet


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about one incident at one moment.

    `service` is None where its file is broken or nobody owns the target. `live` is the release that
    serves, `good_release` what is registered now for the known good's deployment. `target_probe` is
    pinned to the known good in the affected region, `live_probe` is what customers get there, and
    `blamed_probe`, pinned to the blamed version, is asked where only signals tell of the trouble.
    `bad_release` is the newest of what would lose the traffic,
    `chosen` is the release that a person's request names instead of the known good; `approval` is
    what people decided about the plan that waited last.
    """

    service: Service | None
    catalog_mistakes: tuple[CatalogMistake, ...] = ()
    incident: Incident
    diagnosis: Diagnosis | None = None
    snapshot: EndpointSnapshot | None = None
    record: EndpointRecord
    live: Release | None = None
    good_release: Release | None = None
    target_probe: ProbeReport | None = None
    live_probe: ProbeReport | None = None
    blamed_probe: ProbeReport | None = None
    bad_release: Release | None = None
    chosen: Release | None = None
    approval: Approval | None = None
    controls: Controls
    frozen: Frozen | None = None  # the change freeze that covers the service now
    quiets: tuple[Quiet, ...] = ()  # what holds the incident back now
    now: datetime

    @property
    def policy(self) -> RollbackPolicy:
        """The service's rollback policy; the defaults where there is no service to ask."""
        return self.service.policy if self.service is not None else RollbackPolicy()

    @property
    def mode(self) -> Mode:
        """How far Backstop may go; no further than watching where there is no service to ask."""
        return self.service.mode if self.service is not None else Mode.OBSERVE

    @property
    def request(self) -> RollbackRequest | None:
        """What a person asks for, as long as it stands: it takes the place of a cause."""
        asked = self.incident.request
        return asked if asked is not None and asked.stands(self.now) else None

    @property
    def is_hotfix(self) -> bool:
        """Whether a person asks for a version that is not the known good."""
        known, asked = self.record.known_good, self.request
        return asked is not None and asked.to not in ("", known.version if known else "")

    @property
    def good(self) -> str:
        """Where the traffic would go, as the endpoint spells it; "" where there is nowhere.

        That is the known good's deployment, or that of the version which a person asks for.
        """
        to = self.chosen if self.is_hotfix else self.record.known_good
        if to is None:
            return ""
        name = to.deployment
        found = self.snapshot.deployment(name) if self.snapshot is not None else None
        return found.name if found is not None else name

    @property
    def blamed(self) -> str:
        """The deployment that the diagnosis blames; "" where it blames no version.

        Where a person asks, it is what has most of the traffic elsewhere.
        """
        if self.request is not None and self.snapshot is not None:
            return self._elsewhere(self.snapshot)
        if self.diagnosis is None or self.diagnosis.attribution.cause is not Cause.VERSION:
            return ""
        named = self.diagnosis.attribution.version
        by_release = self.live is not None and named == self.live.version
        return self.live.deployment if self.live is not None and by_release else named

    def _elsewhere(self, snapshot: EndpointSnapshot) -> str:
        """What has the largest share of the traffic that is not where it would go; "" if none."""
        good = self.good.lower()
        others = [(n, name) for name, n in snapshot.traffic.items() if n and name.lower() != good]
        return max(others, default=(0, ""))[1]

    @property
    def desired(self) -> dict[str, int]:
        """The split that a rollback would write: all to the known good, none to any other."""
        if self.snapshot is None or not self.good:
            return {}
        # One entry a deployment, however its name is spelled in the traffic of the endpoint.
        deployed = (deployment.name for deployment in self.snapshot.deployments)
        spelled = {name.lower(): name for name in (self.good, *self.snapshot.traffic, *deployed)}
        wanted = self.good.lower()
        return {name: 100 if key == wanted else 0 for key, name in sorted(spelled.items())}

    @property
    def region(self) -> str:
        """The region where the trouble is confined to one; "" where it is not."""
        if self.diagnosis is None:
            return ""
        _, _, named = self.diagnosis.affected.partition("region=")
        if named:
            return named.split(",")[0].strip()
        return self.diagnosis.regions_hit[0] if len(self.diagnosis.regions_hit) == 1 else ""
