"""What an AI service imports to tell Backstop what it serves: one object, one call an event.

This folder stands alone: it needs opentelemetry-api and nothing else, so a service takes it as it
is. How telemetry leaves it is the service's own choice, such as azure-monitor-opentelemetry.
"""

from shared.telemetry.service import AiService, ModelCall, Request, Version
from shared.telemetry.signals import Breaches, Objective

__all__ = ["AiService", "Breaches", "ModelCall", "Objective", "Request", "Version"]
