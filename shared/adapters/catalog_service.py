"""One service's file: its own document first, then one OpenSLO document for every objective.

`read_service` knows the form of the first. Whether services fit one another is the business of
`shared.adapters.catalog`.
"""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.adapters.catalog_fields import Report, Section
from shared.adapters.catalog_slo import read_slo
from shared.adapters.catalog_tree import Node
from shared.domain.catalog import (
    Contact,
    Dependency,
    Mode,
    RollbackPolicy,
    Service,
    Slo,
    Target,
    TargetKind,
)
from shared.domain.endpoint import parse_target
from shared.errors import RejectedInput

NAME = "[a-z0-9][a-z0-9-]{1,62}"
MINIMUM_CONTACTS = 2
MINUTE, HOUR, DAY = 60, 3_600, 86_400

_ARM_ID = "/subscriptions/[^/?#]+(/[^/?#]+)*"
_WINDOWS = ("5m", "30m", "1h", "6h", "3d")
_REASONS_TO_ASK = ("index-moved", "prompt-moved", "flags-moved", "short-capacity")


def read_service(report: Report, documents: list[Node]) -> Service | None:
    """Read a service of the documents of its file; None where the report has mistakes."""
    if not documents:
        report.note(1, "", "the file is empty", "a document of kind Service")
        return None
    head = Section(report, documents[0])
    slos = [read_slo(Section(report, node), report.service) for node in documents[1:]]
    service = _read_head(head, tuple(slos))
    if not slos:
        report.note(head.line, "", "no objective", "a second document of kind SLO, after ---")
    return None if report.mistakes else service


def _read_head(head: Section, slos: tuple[Slo, ...]) -> Service:
    head.one_of("apiVersion", ("backstop/v1",))
    head.one_of("kind", ("Service",))
    metadata, spec = head.section("metadata"), head.section("spec")
    service = _read_spec(metadata, spec, slos)
    if service.name != head.report.service:
        metadata.mistake("name", "is not the file's name", head.report.service)
    for section in (metadata, spec, head):
        section.close()
    return service


def _read_spec(metadata: Section, spec: Section, slos: tuple[Slo, ...]) -> Service:
    return Service(
        name=metadata.text("name", pattern=NAME),
        title=metadata.text("title", pattern=".{1,80}"),
        owner=spec.text("owner", pattern=".{1,80}"),
        tier=spec.whole("tier", 1, 3),
        rto_s=spec.seconds("rto", MINUTE, 7 * DAY),
        rpo_requests=spec.whole("rpo", 0, 1_000_000),
        contacts=_read_contacts(spec),
        targets=_read_targets(spec),
        slos=slos,
        mode=spec.choice("mode", Mode, Mode.OBSERVE),
        policy=_read_policy(spec),
        dependencies=_read_dependencies(spec),
        regions=spec.texts("regions", pattern="[a-z0-9]{2,40}"),
        resources=tuple(one.lower() for one in spec.texts("resources", pattern=_ARM_ID)),
        time_zone=_read_time_zone(spec),
        runbook=spec.text("runbook", "", pattern="https://[^ ]{1,500}"),
        index_max_age_s=spec.seconds("index_max_age", MINUTE, 30 * DAY, HOUR),
        customer_impact=spec.flag("customer_impact", default=False),
        file=spec.report.file,
    )


def _read_contacts(spec: Section) -> tuple[Contact, ...]:
    contacts = []
    for section in spec.sections("contacts"):
        name, role = section.text("name"), section.text("role")
        contacts.append(Contact(name=name, role=role, pager=section.text("pager")))
        section.close()
    if spec.has("contacts") and len(contacts) < MINIMUM_CONTACTS:
        spec.mistake(
            "contacts", "fewer than two", "two or more: the second is paged after the first"
        )
    return tuple(contacts)


def _read_targets(spec: Section) -> tuple[Target, ...]:
    targets = []
    for section in spec.sections("targets"):
        kind = section.choice("kind", TargetKind)
        arm_id = section.text("id", pattern=_ARM_ID).lower()
        if arm_id and kind is TargetKind.ONLINE_ENDPOINT:
            _check_endpoint(section, arm_id)
        capabilities = section.texts("capabilities", pattern="split|pointer|switch")
        targets.append(Target(kind=kind, id=arm_id, capabilities=capabilities))
        section.close()
    if spec.has("targets") and not targets:
        spec.mistake("targets", "names nothing", "at least one kind and id")
    return tuple(targets)


def _check_endpoint(section: Section, arm_id: str) -> None:
    try:
        parse_target(arm_id)
    except RejectedInput as error:
        section.mistake("id", error.detail, "the ARM id of a managed online endpoint")


def _read_policy(spec: Section) -> RollbackPolicy:
    if not spec.has("policy"):
        return RollbackPolicy()
    section, usual = spec.section("policy"), RollbackPolicy()
    policy = RollbackPolicy(
        id=section.text("id", usual.id, pattern=NAME),
        burn_rate=section.number("burn_rate", 0, 1_000, usual.burn_rate),
        short_window=section.one_of("short_window", _WINDOWS, usual.short_window),
        long_window=section.one_of("long_window", _WINDOWS, usual.long_window),
        minimum_requests=section.whole("minimum_requests", 1, 1_000_000, usual.minimum_requests),
        cooldown_s=section.seconds("cooldown", 0, 7 * DAY, usual.cooldown_s),
        max_rollbacks_per_hour=section.whole(
            "max_rollbacks_per_hour", 1, 2, usual.max_rollbacks_per_hour
        ),
        probes=section.whole("probes", 1, 200, usual.probes),
        probe_pass_share=section.number("probe_pass_share", 0.5, 1, usual.probe_pass_share),
        soak_s=section.seconds("soak", 1, 30 * DAY, usual.soak_s),
        soak_minimum_requests=section.whole(
            "soak_minimum_requests", 1, 10_000_000, usual.soak_minimum_requests
        ),
        verify_after_s=section.seconds("verify_after", 1, HOUR, usual.verify_after_s),
        verify_checks=section.whole("verify_checks", 1, 20, usual.verify_checks),
        acknowledge_within_s=section.seconds(
            "acknowledge_within", 10, HOUR, usual.acknowledge_within_s
        ),
        approve_when=_read_reasons(section, usual),
    )
    if _WINDOWS.index(policy.short_window) >= _WINDOWS.index(policy.long_window):
        section.mistake("short_window", "is not shorter than long_window", "5m with 1h, say")
    section.close()
    return policy


def _read_reasons(section: Section, usual: RollbackPolicy) -> tuple[str, ...]:
    given = section.texts("approve_when", pattern="|".join(_REASONS_TO_ASK))
    return given if section.has("approve_when") else usual.approve_when


def _read_dependencies(spec: Section) -> tuple[Dependency, ...]:
    found = []
    for section in spec.sections("dependencies", required=False):
        kind = section.one_of("kind", ("service", "model", "tool", "index", "region"), "service")
        found.append(Dependency(name=section.text("name"), kind=kind))
        section.close()
    return tuple(found)


def _read_time_zone(spec: Section) -> str:
    name = spec.text("time_zone", "UTC", pattern="[A-Za-z0-9_+-]{1,40}(/[A-Za-z0-9_+-]{1,40}){0,2}")
    try:
        ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        spec.mistake("time_zone", f"{name!r} is unknown", "a name like Europe/Amsterdam")
    return name
