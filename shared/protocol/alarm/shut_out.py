"""Shut out: the tick cannot begin for minutes, so nobody relays, reconciles, sweeps or seals.

Beside the flow, called by a tick whose first reading failed. The role on the tables was taken away,
or they are out: no report and no incident can be stored, so people are paged as for a grave alert
that nothing can store. The executor wakes nobody; Azure's own watchdog tells of it.
"""

from shared.domain.alerts.own import SHUT_OUT_AFTER, tell_shut_out
from shared.errors import Refused, Unavailable
from shared.protocol.alarm.keeper import set_alarm
from shared.services import Services


async def note_shut_out(services: Services, error: Unavailable) -> None:
    """Remember since when; page once it has lasted. A tick that begins makes it forgotten."""
    since = services.memory.shut_out_since = services.memory.shut_out_since or services.now()
    if services.now() - since < SHUT_OUT_AFTER:
        return
    refused = isinstance(error, Refused)
    alert = tell_shut_out(error.part, error.detail, refused=refused, since=since)
    why = f"the {error.part} refused it" if refused else f"the {error.part} did not answer"
    set_alarm(services, alert, why=why, at_once=True)
