"""The duty to report: a major incident is told to the authority, by when policy says.

Kept in the incident, as policy was when it opened: DORA Art. 19 and the like are deadlines in a
service's file, not in code. Backstop keeps the deadline and what a commander says that was
reported; it reports nothing itself.
"""

from datetime import datetime, timedelta

import msgspec

MAJOR = ("SEV0", "SEV1")


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A report that was made: under which reference, when, and who said so."""

    reference: str
    at: datetime
    by: str


class ReportDuty(msgspec.Struct, frozen=True, kw_only=True):
    """By when a report is due and what was reported.

    `within_s` is policy's time from the classification as major, in seconds; 0 where it sets none.
    """

    within_s: int = 0
    due_at: datetime | None = None
    reports: tuple[Report, ...] = ()

    def classified(self, severity: str, now: datetime) -> "ReportDuty":
        """The duty once the incident has this severity.

        Who finds it minor before the time is over owes nothing; afterwards it stays owed.
        """
        if severity in MAJOR and self.within_s and self.due_at is None:
            return msgspec.structs.replace(self, due_at=now + timedelta(seconds=self.within_s))
        in_time = self.due_at is not None and now < self.due_at
        if severity not in MAJOR and in_time and not self.reports:
            return msgspec.structs.replace(self, due_at=None)
        return self

    def reported(self, report: Report) -> "ReportDuty":
        """The duty once a report was made; the first one meets it, others may follow."""
        return msgspec.structs.replace(self, reports=(*self.reports, report))

    @property
    def is_owed(self) -> bool:
        """Whether a report is due that nobody has made."""
        return self.due_at is not None and not self.reports

    @property
    def told(self) -> dict[str, str]:
        """The deadline for the evidence of an event that classifies; nothing without policy."""
        due = self.due_at.isoformat() if self.due_at else ""
        return {"report_due_at": due} if self.within_s else {}
