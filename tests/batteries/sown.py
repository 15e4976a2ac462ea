"""Roads on which seeds come in: all of an alert, logs, releases, people's words, bad input."""

from typing import Any

import msgspec

from responders.alert.ingest import ingest
from responders.people.handle import handle
from responders.watching.register import register
from shared.domain.authority.caller import AppRole
from shared.domain.views.http import Request
from shared.errors import RejectedInput
from tests.batteries.seeds import nested
from tests.fakes import FakeServices
from tests.fakes.callers import app, person
from tests.fakes.scene import TARGET

WEBHOOK = app(AppRole.WEBHOOK)


def alert(text: str, fired: str) -> bytes:
    """An alert about the endpoint with the text in every field that may hold one."""
    criterion: dict[str, Any] = {
        "searchQuery": f"AppRequests | where Caller == '{text}'",
        "linkToSearchResultsUI": f"https://portal.azure.com/?q={text}",
        "metricName": f"errors of {text}",
        "operator": "GreaterThan",
        "threshold": "14.4",
        "metricValue": 31.4,
        "dimensions": [{"name": "customer", "value": text}, {"name": text, "value": "one"}],
    }
    essentials = {
        "alertId": "/subscriptions/s/providers/Microsoft.AlertsManagement/alerts/a1",
        "originAlertId": "origin-1",
        "alertRule": f"burn rate {text}",
        "severity": "Sev1",
        "signalType": "Log",
        "monitorCondition": "Fired",
        "monitoringService": "Log Alerts V2",
        "alertTargetIDs": [TARGET],
        "firedDateTime": fired,
        "description": text,
    }
    context = {
        "conditionType": "LogQueryCriteria",
        "condition": {"allOf": [criterion]},
        "caller": text,
        "claims": nested(text),
        "httpRequest": nested(text, 1),
        "labels": {"user": text, "claims": nested(text)},
        "properties": {"title": text, "eventProperties": nested(text)},
    }
    data = {
        "essentials": essentials,
        "alertContext": context,
        "customProperties": {"service": text, "runbook": text},
    }
    return msgspec.json.encode({"schemaId": "azureMonitorCommonAlertSchema", "data": data})


async def post(services: FakeServices, text: str) -> None:
    """The alert comes, with headers that hold the text, too."""
    body = alert(text, services.now().isoformat())
    headers = {"authorization": f"Bearer {text}", "x-forwarded-for": text}
    await ingest(services, Request(method="POST", body=body, headers=headers, caller=WEBHOOK))


async def post_rubbish(services: FakeServices, text: str) -> list[str]:
    """Bodies that no reader takes, each kept in quarantine; the answers' details."""
    whole = alert(text, "now")
    details = []
    context = {"name": text, "claims": nested(text)}
    legacy = msgspec.json.encode({"status": "Activated", "context": context})
    wide = f'{{"schemaId": "x", "essentials": "{text}"'.encode("utf-16-le")
    for body in (whole[:-1], legacy, b'{"essentials": "' + text.encode(), wide):
        try:
            await ingest(services, Request(method="POST", body=body, caller=WEBHOOK))
        except RejectedInput as error:
            details.append(error.detail)
    assert len(details) == 4
    return details


async def say(services: FakeServices, incident: str, text: str) -> None:
    """A person takes a note and says why."""
    said_of = {"notes": {"text": text}, "severity": {"severity": "SEV0", "why": text}}
    for action, said in said_of.items():
        request = Request(
            method="POST",
            path={"id": incident, "action": action},
            body=msgspec.json.encode(said),
            caller=person(AppRole.COMMANDER),
        )
        await handle(services, request)


async def release(services: FakeServices, service: str, text: str) -> None:
    """A pipeline registers a release whose every free text holds the text."""
    asked = {
        "service": service,
        "version": "9.9.9",
        "deployment": "v9",
        "why": text,
        "prompt_revision": text,
    }
    body = msgspec.json.encode(asked)
    await register(services, Request(method="POST", body=body, caller=app(AppRole.DEPLOYER)))


def deeds(text: str) -> list[dict[str, object]]:
    """Rows of the activity log, with a column that nobody asked for."""
    row: dict[str, object] = {
        "Operation": "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/write",
        "Status": "Succeeded",
        "Caller": text,
        "ResourceId": TARGET,
        "CorrelationId": text,
        "Claims": nested(text),
    }
    return [row]
