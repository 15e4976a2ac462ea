"""Custom events of the product's own telemetry, as the workspace keeps them in AppEvents."""

from datetime import datetime

import msgspec


class AppEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event. `role` is the service that it is about: AppRoleName in the workspace."""

    name: str
    role: str
    at: datetime
    properties: dict[str, str] = {}
    measurements: dict[str, float] = {}
