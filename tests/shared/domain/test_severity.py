"""Severity: by the source and the service's place first, by what really fails once."""

import msgspec
import pytest

from shared.domain.diagnosis import Diagnosis, Health
from shared.domain.incident import Severity
from shared.domain.severity import classify, raise_severity
from tests.shared.domain.incidents import NOW, SERVICE, fired, opened

SEV0, SEV1, SEV2, SEV3 = Severity


@pytest.mark.parametrize(
    ("source", "by_tier"),
    [
        (0, (SEV0, SEV1, SEV2)),
        (1, (SEV1, SEV2, SEV2)),
        (2, (SEV2, SEV2, SEV3)),
        (3, (SEV2, SEV3, SEV3)),
        (4, (SEV3, SEV3, SEV3)),
        (None, (SEV2, SEV3, SEV3)),
    ],
)
def test_the_source_and_the_tier_choose(source: int | None, by_tier: tuple[Severity, ...]) -> None:
    alert = fired(1, severity=source)
    tiers = [msgspec.structs.replace(SERVICE, tier=tier) for tier in (1, 2, 3)]
    assert tuple(classify(alert, service).severity for service in tiers) == by_tier


def test_targets_that_nobody_owns_count_as_the_lowest_tier() -> None:
    choice = classify(fired(1, severity=0), None)
    assert choice.severity is SEV2
    assert choice.reasons == ("Azure Sev0 on targets that no service owns: SEV2",)


@pytest.mark.parametrize("kind", ["service-health", "resource-health"])
def test_a_severity_that_azure_always_sets_says_nothing(kind: str) -> None:
    choice = classify(msgspec.structs.replace(fired(1, severity=4), kind=kind), SERVICE)
    assert choice.severity is SEV2
    assert choice.reasons == ("no severity from the source on a tier 1 service: SEV2",)


@pytest.mark.parametrize("kind", ["budget", "activity-log"])
def test_a_notice_wakes_nobody(kind: str) -> None:
    alert = msgspec.structs.replace(fired(1, severity=0), kind=kind)
    assert not classify(alert, SERVICE).severity.pages()


@pytest.mark.parametrize(("count", "severity"), [(2, SEV2), (3, SEV1)])
def test_many_dependents_make_it_one_step_worse(count: int, severity: Severity) -> None:
    service = msgspec.structs.replace(SERVICE, dependents=tuple("abc"[:count]))
    choice = classify(fired(1, severity=2), service)
    assert choice.severity is severity
    assert len(choice.reasons) == (2 if count == 3 else 1)


def test_nothing_is_worse_than_sev0() -> None:
    service = msgspec.structs.replace(SERVICE, dependents=("a", "b", "c"))
    assert classify(fired(1, severity=0), service).severity is SEV0


def diagnosed(share: float, regions: int, requests: int = 400) -> Diagnosis:
    return Diagnosis(
        incident="INC-07-261120-0A1B2C3D",
        made_at=NOW,
        health=Health.BREACHED,
        sentence="v2 fails",
        requests=requests,
        bad_requests=int(requests * share),
        bad_share=share,
        regions_hit=("westeurope", "swedencentral", "northeurope")[:regions],
    )


@pytest.mark.parametrize(
    ("share", "regions", "severity"),
    [
        (0.60, 3, SEV0),
        (0.60, 1, SEV1),
        (0.25, 1, SEV1),
        (0.10, 2, SEV1),
        (0.10, 1, SEV2),
        (0.01, 3, None),
    ],
)
def test_a_diagnosis_raises_by_share_and_regions(
    share: float, regions: int, severity: Severity | None
) -> None:
    choice = raise_severity(opened(SEV3), diagnosed(share, regions))
    assert (choice.severity if choice else None) is severity


def test_the_reason_tells_the_figures() -> None:
    choice = raise_severity(opened(SEV2), diagnosed(0.4, 1))
    assert choice is not None
    assert choice.reasons == ("40% of requests fail, 1 region(s) hit: SEV1",)


def test_it_never_lowers() -> None:
    assert raise_severity(opened(SEV1), diagnosed(0.03, 1)) is None


def test_it_raises_once() -> None:
    raised = msgspec.structs.replace(opened(SEV2), raised=True)
    assert raise_severity(raised, diagnosed(0.9, 3)) is None


def test_a_handful_of_requests_raises_nothing() -> None:
    assert raise_severity(opened(SEV3), diagnosed(0.9, 3, requests=19)) is None


@pytest.mark.parametrize("health", [Health.HEALTHY, Health.INCONCLUSIVE])
def test_only_a_breach_raises(health: Health) -> None:
    unsure = msgspec.structs.replace(diagnosed(0.9, 3), health=health)
    assert raise_severity(opened(SEV3), unsure) is None
