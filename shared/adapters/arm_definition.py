"""What a deployment is made of, as azure-ai-ml shows it: enough to see a change in place.

Values of environment variables may be secrets, so of each only a digest is kept. What changes by
itself, such as the number of instances, is no part of it.
"""

from typing import Any

from shared.domain.keys import digest

_REQUEST_SETTINGS = (
    "request_timeout_ms",
    "max_concurrent_requests_per_instance",
    "max_queue_wait_ms",
)


def definition_of(found: Any) -> dict[str, str]:
    """The parts of an OnlineDeployment by name; what is not set is left out."""
    code = found.code_configuration
    parts = {
        "model": _name(found.model),
        "environment": _name(found.environment),
        "code": _name(code.code) if code else "",
        "scoring script": _name(code.scoring_script) if code else "",
        "instance type": _name(getattr(found, "instance_type", None)),
        "request settings": _settings(found.request_settings),
    }
    variables = found.environment_variables or {}
    parts |= {f"variable {name}": digest(name, str(value)) for name, value in variables.items()}
    return {name: value for name, value in sorted(parts.items()) if value}


def _name(asset: Any) -> str:
    """An asset's id; read from ARM it is one already."""
    return str(getattr(asset, "id", None) or asset or "")


def _settings(settings: Any) -> str:
    values = [getattr(settings, name, None) for name in _REQUEST_SETTINGS]
    return " ".join(str(value) for value in values) if any(values) else ""
