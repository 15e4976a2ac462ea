"""Alerts of Backstop's own: that it is shut out of its tables, so that it looks after nothing.

Told by the same road as Azure's alerts, because that road pages without storage, and makes an
incident of it once the tables answer. `shared.protocol.alarm.shut_out` says when.
"""

from datetime import datetime, timedelta

from shared.domain.alerts.alert import Alert, Condition
from shared.domain.event import ITSELF
from shared.domain.keys import digest

KIND = "backstop"
SHUT_OUT_AFTER = timedelta(minutes=2)  # what is over sooner ends by itself, and is in the log


def tell_shut_out(part: str, detail: str, *, refused: bool, since: datetime) -> Alert:
    """The alert of a process that could not begin its work `since` then, always the same one."""
    how = "is refused by" if refused else "gets no answer from"
    return Alert(
        delivery_key=digest(KIND, "shut-out", part, since.isoformat()),
        correlation_key=digest(KIND, "shut-out", part),
        alert_id=f"{KIND}-shut-out-{part}",
        rule=f"shut-out-{part}",
        kind=KIND,
        condition=Condition.FIRED,
        severity=1,
        targets=(),
        fired_at=since,
        monitoring_service=ITSELF,
        summary=f"Backstop {how} its own {part}: {detail}",
        title=f"Backstop {how} its own {part}",
    )
