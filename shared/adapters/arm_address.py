"""Where Azure Resource Manager is: at its own host, or a server of one's own on this machine.

Endpoints and fired alerts are asked for at the same address, with the same rule: a token leaves for
Azure's host alone, and only a server on 127.0.0.1 is asked without an identity.
"""

from urllib.parse import urlsplit

from shared.errors import Misconfigured

ARM = "https://management.azure.com"
SCOPE = f"{ARM}/.default"


def refuse_remote(arm_url: str | None) -> None:
    """Raise Misconfigured for a server of one's own that is not on this machine."""
    if arm_url is not None and urlsplit(arm_url).hostname != "127.0.0.1":
        raise Misconfigured(f"an ARM server of one's own must listen on 127.0.0.1, not {arm_url}")
