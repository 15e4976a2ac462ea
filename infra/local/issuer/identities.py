"""Who lives in the local tenant: the people of the sign-in page, and the programs that call.

The roles are those of `shared.domain.authority.caller`, as the words that tokens carry. Nothing of
`shared` is imported: the function host reads this, and its app may bring a `shared` of its own.
"""

import msgspec

TENANT = "10ca1000-0000-4000-8000-000000000001"
AUDIENCE = "10ca1000-0000-4000-8000-00000000ba55"  # Backstop's own client id
COMMAND_LINE = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"  # Azure CLI: by it people get tokens


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """A person or, with a `client_id`, a program. `key` is what commands and tests call it."""

    key: str
    name: str
    object_id: str
    roles: tuple[str, ...]
    client_id: str = ""

    @property
    def is_person(self) -> bool:
        """Whether it signs in on a page."""
        return not self.client_id


def _object(number: int) -> str:
    return f"10ca1000-0000-4000-8000-0000000001{number:02d}"


PEOPLE = (
    Identity(
        key="commander",
        name="Local commander",
        object_id=_object(1),
        roles=("Commander", "Responder"),
    ),
    Identity(key="responder", name="Local responder", object_id=_object(2), roles=("Responder",)),
    Identity(key="approver", name="Local approver", object_id=_object(3), roles=("Approver",)),
    Identity(
        key="second-approver",
        name="Second local approver",
        object_id=_object(4),
        roles=("Approver",),
    ),
    Identity(key="auditor", name="Local auditor", object_id=_object(5), roles=("Auditor",)),
)
APPS = (
    Identity(
        key="monitor",
        name="AzNS AAD Webhook",
        object_id=_object(51),
        roles=("ActionGroupsSecureWebhook",),
        client_id="461e8683-5575-4561-ac7f-899cc907d62a",  # as in every tenant
    ),
    Identity(
        key="pipeline",
        name="Local release pipeline",
        object_id=_object(52),
        roles=("Deployer",),
        client_id="10ca1000-0000-4000-8000-000000000252",
    ),
    Identity(
        key="signal",
        name="Local signal",
        object_id=_object(53),
        roles=("Signal",),
        client_id="10ca1000-0000-4000-8000-000000000253",
    ),
)
IDENTITIES = {identity.key: identity for identity in (*PEOPLE, *APPS)}


def sender_of(method: str, path: str) -> str:
    """Who of the local world sends a request where nobody says who."""
    posted = {"/api/alerts": "monitor", "/api/releases": "pipeline", "/api/signals": "signal"}
    return posted.get(path, "commander") if method == "POST" else "commander"
