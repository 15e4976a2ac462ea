"""The controls that a bundle answers: each clause, what it asks in our words, who judges it."""

from shared.domain.evidence import changes, handling, keeping
from shared.domain.evidence.control import Control, Ground, Judged
from shared.domain.evidence.trail import Trail


def judge_all(trail: Trail, ground: Ground) -> list[tuple[Control, Judged]]:
    """Every control with its answer, in the order of the table."""
    return [(control, control.judge(trail, ground)) for control in CONTROLS]


CONTROLS: tuple[Control, ...] = (
    Control(
        id="soc2-cc8.1-population",
        clause="SOC 2 CC8.1",
        asks="All changes are known: none went past the process.",
        judge=changes.population,
    ),
    Control(
        id="soc2-cc8.1-authorised",
        clause="SOC 2 CC8.1",
        asks="Changes are authorised before they are made.",
        judge=changes.authorised,
    ),
    Control(
        id="soc2-cc8.1-as-approved",
        clause="SOC 2 CC8.1",
        asks="What is done is what was approved.",
        judge=changes.same_plan,
    ),
    Control(
        id="soc2-cc8.1-emergencies",
        clause="SOC 2 CC8.1",
        asks="Emergency changes are reviewed afterwards.",
        judge=changes.reviewed,
    ),
    Control(
        id="iso27001-a8.32",
        clause="ISO/IEC 27001 A.8.32",
        asks="Changes are tested: each is checked after it was made.",
        judge=changes.verified,
    ),
    Control(
        id="iso27001-a5.3",
        clause="ISO/IEC 27001 A.5.3",
        asks="Conflicting duties are segregated: nobody approves their own request.",
        judge=changes.parted,
    ),
    Control(
        id="nist-cm-3",
        clause="NIST SP 800-53 CM-3",
        asks="Changes are controlled: each is documented with who, what, when and why.",
        judge=changes.accountable,
    ),
    Control(
        id="nist-cm-5",
        clause="NIST SP 800-53 CM-5",
        asks="Access for changes is restricted, and attempts are recorded.",
        judge=changes.restricted,
    ),
    Control(
        id="nist-ac-5",
        clause="NIST SP 800-53 AC-5",
        asks="Duties are separated: a review is closed by another person.",
        judge=changes.reviewed_by_others,
    ),
    Control(
        id="nist-ir-4",
        clause="NIST SP 800-53 IR-4",
        asks="Incidents are handled: detected, analysed, contained.",
        judge=handling.handled,
    ),
    Control(
        id="nist-au-9",
        clause="NIST SP 800-53 AU-9",
        asks="Audit records are protected against change and deletion.",
        judge=keeping.protected,
    ),
    Control(
        id="nist-au-10",
        clause="NIST SP 800-53 AU-10",
        asks="Nobody can deny what they did.",
        judge=keeping.not_repudiable,
    ),
    Control(
        id="nist-au-11",
        clause="NIST SP 800-53 AU-11",
        asks="Audit records are kept as long as the rules ask.",
        judge=keeping.retained,
    ),
    Control(
        id="eu-ai-act-12",
        clause="EU AI Act Art. 12",
        asks="Events are recorded automatically over the system's life, and kept six months.",
        judge=keeping.logged,
    ),
    Control(
        id="dora-17",
        clause="DORA Art. 17",
        asks="Incidents of ICT are detected, managed and followed to their cause.",
        judge=handling.handled,
    ),
    Control(
        id="dora-18",
        clause="DORA Art. 18",
        asks="Incidents are classified by their impact.",
        judge=handling.classified,
    ),
    Control(
        id="dora-19",
        clause="DORA Art. 19",
        asks="Major incidents are reported within the deadlines that policy sets.",
        judge=handling.reported,
    ),
)
