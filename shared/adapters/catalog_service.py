"""One service's file: its own document first, then the OpenSLO documents of its objectives.

`read_service` knows the form of the first. Whether services fit one another is the business of
`shared.adapters.catalog`.
"""

import msgspec

from shared.adapters.catalog_budget import read_budget_policy
from shared.adapters.catalog_fields import DAY, HOUR, MINUTE, NAME, Section
from shared.adapters.catalog_openslo import Library
from shared.adapters.catalog_policy import read_policy
from shared.adapters.catalog_report import Mentioned, Report
from shared.adapters.catalog_slo import read_slos
from shared.adapters.catalog_tree import Node
from shared.adapters.catalog_windows import read_freezes, read_maintenance, read_time_zone
from shared.domain.catalog import Contact, Dependency, Mode, Service, Target, TargetKind
from shared.domain.decisions.endpoint import parse_target
from shared.domain.slos.slo import Slo
from shared.errors import RejectedInput

MINIMUM_CONTACTS = 2
_GUID = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_ARM_ID = f"/subscriptions/{_GUID}(/[^/?#]+)*"
_ARM_FORM = "an ARM id: /subscriptions/ and the subscription's GUID, then what is in it"
_HTTPS = "https://[^ ?#]{1,200}"
_FIELD = "[A-Za-z][A-Za-z0-9_/]{0,127}"


def read_service(report: Report, documents: list[Node]) -> Service | None:
    """Read a service of the documents of its file; None where the report has mistakes."""
    if not documents:
        report.note(1, "", "the file is empty", "a document of kind Service")
        return None
    head = Section(report, documents[0])
    service = _read_head(head, Library(report, documents[1:]))
    if not service.slos:
        report.note(head.line, "", "no objective", "a second document of kind SLO, after ---")
    return None if report.mistakes else service


def _read_head(head: Section, library: Library) -> Service:
    head.one_of("apiVersion", ("backstop/v1",))
    head.one_of("kind", ("Service",))
    metadata, spec = head.section("metadata"), head.section("spec")
    slos = read_slos(library, head.report.service, read_budget_policy(spec))
    service = _read_spec(metadata, spec, slos)
    if service.name != head.report.service:
        metadata.mistake("name", "is not the file's name", head.report.service)
    for section in (metadata, spec, head):
        section.close()
    return service


def _read_spec(metadata: Section, spec: Section, slos: tuple[Slo, ...]) -> Service:
    zone = read_time_zone(spec)
    name = metadata.text("name", pattern=NAME)
    return Service(
        name=name,
        title=metadata.text("title", pattern=".{1,80}"),
        owner=spec.text("owner", pattern=".{1,80}"),
        tier=spec.whole("tier", 1, 3),
        rto_s=spec.seconds("rto", MINUTE, 7 * DAY),
        rpo_requests=spec.whole("rpo", 0, 1_000_000),
        contacts=_read_contacts(spec),
        targets=_read_targets(spec),
        slos=slos,
        mode=spec.choice("mode", Mode, Mode.OBSERVE),
        policy=read_policy(spec, slos),
        dependencies=_read_dependencies(spec),
        regions=spec.texts("regions", pattern="[a-z0-9]{2,40}"),
        resources=tuple(
            one.lower() for one in spec.texts("resources", pattern=_ARM_ID, form=_ARM_FORM)
        ),
        maintenance=read_maintenance(spec, zone),
        freezes=read_freezes(spec, zone, name),
        time_zone=zone,
        runbook=_read_runbook(spec),
        index_max_age_s=spec.seconds("index_max_age", MINUTE, 30 * DAY, HOUR),
        customer_impact=spec.flag("customer_impact", default=False),
        compliance=spec.texts("compliance", pattern=NAME),
        signals=tuple(one.lower() for one in spec.texts("signals", pattern=_GUID)),
        probe=spec.anything("probe") if spec.has("probe") else {},
        file=spec.report.file,
    )


def _read_runbook(spec: Section) -> str:
    """Read the link that pages and cards show: whoever is woken reads it on a telephone."""
    if not spec.has("runbook"):
        spec.advise("runbook", "is missing", "an https link to what people do at night")
    return spec.text("runbook", "", pattern="https://[^ ]{1,500}")


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
        arm_id = section.text("id", pattern=_ARM_ID, form=_ARM_FORM).lower()
        if arm_id and kind is TargetKind.ONLINE_ENDPOINT:
            _check_endpoint(section, arm_id)
        section.mention(Mentioned.TARGET, "id", arm_id)
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


def _read_dependencies(spec: Section) -> tuple[Dependency, ...]:
    found = []
    for section in spec.sections("dependencies", required=False):
        kind = section.one_of("kind", ("service", "model", "tool", "index", "region"), "service")
        name = section.text("name")
        if kind == "service":
            section.mention(Mentioned.DEPENDENCY, "name", name)
        found.append(_read_address(section, Dependency(name=name, kind=kind)))
        section.close()
    return tuple(found)


def _read_address(section: Section, read: Dependency) -> Dependency:
    """Where an index is searched; both fields or neither, and of an index only."""
    endpoint = section.text("endpoint", "", pattern=_HTTPS)
    watermark = section.text("watermark", "", pattern=_FIELD)
    if bool(endpoint) != bool(watermark):
        given, missing = ("endpoint", "watermark") if endpoint else ("watermark", "endpoint")
        section.mistake(given, f"has no {missing} beside it", "both, or neither")
    if endpoint and read.kind != "index":
        section.mistake("endpoint", f"of a {read.kind}", "only an index is asked by one")
    return msgspec.structs.replace(read, endpoint=endpoint, watermark=watermark)
