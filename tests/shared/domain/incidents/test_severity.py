"""Severity: by the source and the service's place first, by what really fails once."""

import msgspec
import pytest

from shared.domain.diagnosis.diagnosis import Diagnosis, Health, Tenants
from shared.domain.incidents.incident import Severity
from shared.domain.incidents.severity import classify, raise_severity
from tests.shared.domain.incidents.incidents import NOW, SERVICE, fired, opened

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


def for_tenants(share: float, hit: int, out: int = 0, *, regions: int = 1) -> Diagnosis:
    names = ("a", "b", "c", "d")
    found = Tenants(served=9, hit=names[:hit], out=names[:out])
    return msgspec.structs.replace(diagnosed(share, regions), tenants=found)


@pytest.mark.parametrize(
    ("share", "hit", "out", "severity"),
    [
        (0.05, 2, 0, SEV1),
        (0.05, 1, 0, SEV2),
        (0.04, 3, 0, SEV2),
        (0.04, 1, 1, SEV1),
        (0.01, 1, 1, SEV1),
        (0.01, 3, 0, None),
        (0.01, 0, 0, None),
    ],
    ids=[
        "several tenants",
        "one tenant, as by regions",
        "several, but few of their requests",
        "one tenant out, though the share is low",
        "one tenant out, of next to nothing",
        "a very low share",
        "nobody for sure",
    ],
)
def test_a_diagnosis_raises_by_tenants_as_well(
    share: float, hit: int, out: int, severity: Severity | None
) -> None:
    choice = raise_severity(opened(SEV3), for_tenants(share, hit, out))

    assert (choice.severity if choice else None) is severity


def test_the_worse_of_regions_and_tenants_is_taken() -> None:
    choice = raise_severity(opened(SEV3), for_tenants(0.6, 3, 1, regions=2))

    assert choice is not None
    assert choice.severity is SEV0
    assert choice.reasons == ("60% of requests fail, 2 region(s) hit: SEV0",)


def test_both_reasons_are_told_where_they_agree() -> None:
    choice = raise_severity(opened(SEV2), for_tenants(0.4, 3, 1))

    assert choice is not None
    assert choice.reasons == (
        "40% of requests fail, 1 region(s) hit: SEV1",
        "3 of 9 tenants are hurt, 1 gets next to no good answer: SEV1",
    )


def test_tenants_that_are_not_known_neither_raise_nor_calm() -> None:
    unknown = msgspec.structs.replace(diagnosed(0.4, 1), tenants=Tenants(known=False))

    choice = raise_severity(opened(SEV2), unknown)

    assert choice is not None
    assert choice.severity is SEV1
    assert choice.reasons == (
        "40% of requests fail, 1 region(s) hit: SEV1",
        "which tenants are hurt could not be found out",
    )


def test_tenants_raise_once_as_well() -> None:
    raised = msgspec.structs.replace(opened(SEV2), raised=True)

    assert raise_severity(raised, for_tenants(0.4, 4, 4)) is None
