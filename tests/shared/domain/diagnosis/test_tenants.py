"""Whose requests are bad: who is surely hit, who is out, and what no answer means."""

from typing import Any

import msgspec
import pytest

from shared.domain.catalog import Service
from shared.domain.diagnosis.breach import BreachKind
from shared.domain.diagnosis.diagnosis import Diagnosis, Health, Sign, Tenants
from shared.domain.diagnosis.telemetry import AnswerStatus, QueryAnswer
from shared.domain.diagnosis.tenants import (
    LONGEST_NAME,
    MOST_NAMES,
    counted_since,
    name_tenants,
    tell_tenants,
)
from tests.shared.domain.diagnosis.telemetry_story import SERVICE, START, answer

BREACHED = Diagnosis(
    incident="INC-07-261123-0A1B2C3D",
    made_at=START,
    health=Health.BREACHED,
    sentence="v2 fails",
    breach="availability",
    onset_at=START,
)


def row(tenant: str, total: int, failed: int, slow: int = 0) -> dict[str, object]:
    return {"Tenant": tenant, "Total": total, "Failed": failed, "Slow": slow, "Served": 12}


def named(
    *rows: dict[str, object], service: Service = SERVICE, **changes: Any
) -> tuple[Diagnosis, Tenants]:
    diagnosis = msgspec.structs.replace(BREACHED, **changes)
    found = name_tenants(diagnosis, answer("tenants", rows), service)
    assert found.tenants is not None
    return found, found.tenants


def test_a_tenant_is_hit_where_its_share_is_surely_above_the_objectives() -> None:
    _, found = named(
        row("hit", 100, 40), row("stray", 400, 4), row("few", 4, 4), row("well", 90, 0)
    )

    assert (found.served, found.hit, found.out) == (12, ("hit",), ())


@pytest.mark.parametrize(
    ("total", "failed", "out"), [(20, 18, True), (20, 17, False), (19, 19, False)]
)
def test_a_tenant_is_out_where_next_to_nothing_works_of_enough(
    total: int, failed: int, out: bool
) -> None:
    _, found = named(row("a", total, failed))

    assert found.hit == ("a",)
    assert found.out == (("a",) if out else ())


def test_slow_answers_hurt_where_latency_is_breached() -> None:
    rows = (row("slow", 100, 0, slow=95), row("failing", 100, 30))

    _, found = named(*rows, breach="latency")

    assert (found.hit, found.out) == (("slow",), ("slow",))


def test_the_finding_says_how_many_and_comes_among_the_bad_ones() -> None:
    diagnosis, _ = named(row("a", 100, 100), row("b", 100, 50))
    (finding,) = diagnosis.findings

    assert finding.sentence == "2 of 12 tenants are hurt, 1 gets next to no good answer"
    assert (finding.kind, finding.signal, finding.query) == ("tenant", Sign.BAD, "tenants")
    assert finding.subject == ""
    assert (finding.observed, finding.total, finding.bad) == (1.0, 100, 100)


def test_hundreds_that_are_hit_are_counted_and_fifty_of_them_named() -> None:
    diagnosis, found = named(*(row(f"{number:03d}", 100, 100) for number in range(200)))

    assert (found.hits, found.outs) == (200, 200)
    assert len(found.hit) == len(found.out) == MOST_NAMES
    assert len(msgspec.json.encode(diagnosis)) < 4_000


def test_what_is_no_id_by_its_length_is_counted_and_not_kept() -> None:
    diagnosis, found = named(row("x" * (LONGEST_NAME + 1), 100, 100), row("a", 100, 0))

    assert (found.hit, found.hits, found.out, found.outs) == ((), 1, (), 1)
    assert diagnosis.findings[0].signal is Sign.BAD
    assert "xxx" not in str(diagnosis)


def test_one_that_is_not_surely_hurt_is_no_good_news() -> None:
    diagnosis, found = named(row("a", 8, 2))

    assert found.hit == ()
    assert diagnosis.findings[-1].signal is Sign.LOW_TRAFFIC
    assert diagnosis.findings[-1].sentence == "no single one of 12 tenants is surely hurt"


def test_one_hurt_tenant_is_told_in_the_singular() -> None:
    assert tell_tenants(Tenants(served=3, hit=("a",))) == "1 of 3 tenants is hurt"


@pytest.mark.parametrize(
    "status",
    [one for one in AnswerStatus if one not in (AnswerStatus.COMPLETE, AnswerStatus.EMPTY)],
)
def test_an_answer_that_is_not_complete_is_never_nobody(status: AnswerStatus) -> None:
    rows = (row("a", 100, 0),)

    found = name_tenants(BREACHED, QueryAnswer(name="tenants", status=status, rows=rows), SERVICE)

    assert found.tenants == Tenants(known=False)
    assert found.findings[-1].signal is Sign.UNKNOWN
    assert found.unanswered[-1].startswith("tenants ")


def test_columns_that_nobody_expects_are_no_answer() -> None:
    found = name_tenants(BREACHED, answer("tenants", [{"Tenant": "a"}]), SERVICE)

    assert found.tenants == Tenants(known=False)


def test_a_service_that_tells_of_no_tenants_is_diagnosed_without() -> None:
    assert name_tenants(BREACHED, answer("tenants", []), SERVICE) == BREACHED


@pytest.mark.parametrize("kind", list(BreachKind))
def test_only_bad_requests_since_a_known_moment_are_counted_by_tenant(kind: BreachKind) -> None:
    asked = kind in (BreachKind.AVAILABILITY, BreachKind.LATENCY)
    diagnosis = msgspec.structs.replace(BREACHED, breach=kind.value)

    assert counted_since(diagnosis) == (START if asked else None)
    assert counted_since(msgspec.structs.replace(diagnosis, onset_at=None)) is None
    assert counted_since(msgspec.structs.replace(diagnosis, health=Health.HEALTHY)) is None
