"""The secrets: one redaction key in both vaults, made once, and never a word of a command."""

import json

import pytest

from infra.azure import tools, vaults
from infra.azure.tools import ToolFailed
from infra.azure.vaults import fill, main, renew
from infra.package.package import ROOT
from shared.settings import SHORTEST_KEY
from tests.infra.azure.tenant import Tenant, tenant

__all__ = ["tenant"]

KEY = vaults.REDACTION_KEY


@pytest.fixture
def provisioned(tenant: Tenant) -> Tenant:
    tenant.set(
        BACKSTOP_RESPONDER_VAULT="kv-resp",
        BACKSTOP_EXECUTOR_VAULT="kv-exec",
        BACKSTOP_RESOURCE_GROUP="rg",
        BACKSTOP_RESPONDER_NAME="func-responder",
        BACKSTOP_EXECUTOR_NAME="func-executor",
    )
    return tenant


def held(tenant: Tenant, vault: str) -> str:
    return str(tenant.vaults[vault][KEY])


def test_both_apps_get_one_key_that_is_long_enough(provisioned: Tenant) -> None:
    fill()
    assert held(provisioned, "kv-resp") == held(provisioned, "kv-exec")
    assert len(held(provisioned, "kv-resp")) >= SHORTEST_KEY


def test_a_key_that_is_there_stays(provisioned: Tenant) -> None:
    fill()
    first = held(provisioned, "kv-resp")
    fill()
    assert held(provisioned, "kv-resp") == first


def test_the_executor_gets_the_responder_s_key(provisioned: Tenant) -> None:
    provisioned.vaults = {"kv-resp": {KEY: "r" * 40}, "kv-exec": {KEY: "e" * 40}}
    fill()
    assert held(provisioned, "kv-exec") == "r" * 40


def test_a_new_key_is_another_one_for_both(provisioned: Tenant) -> None:
    fill()
    first = held(provisioned, "kv-resp")
    renew()
    assert held(provisioned, "kv-resp") == held(provisioned, "kv-exec") != first


def test_no_secret_is_a_word_of_a_command(provisioned: Tenant) -> None:
    fill()
    words = [word for said in provisioned.said for word in said]
    assert not [word for word in words if held(provisioned, "kv-resp") in word]


def test_both_apps_read_their_references_again(provisioned: Tenant) -> None:
    fill()
    sites = [url.split("/sites/")[1].split("/")[0] for url in provisioned.refreshed]
    assert sites == ["func-responder", "func-executor"]


def test_what_only_people_know_is_asked_for_by_name(provisioned: Tenant) -> None:
    pagers = json.loads((ROOT / "infra/azure/generated/services.json").read_text())["pagers"]
    names = [*(f"pager-key-{name}" for name in pagers), "teams-url"]
    assert fill() == names
    provisioned.vaults["kv-resp"] |= dict.fromkeys(names, "x")
    assert fill() == []


def test_a_right_that_has_not_arrived_yet_is_waited_for(provisioned: Tenant) -> None:
    provisioned.refusals = 2
    fill(pause_s=0)
    assert held(provisioned, "kv-exec")


def test_what_no_waiting_cures_is_told_at_once(
    provisioned: Tenant, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(*_: str) -> str:
        raise ToolFailed("az is not installed")

    monkeypatch.setattr(tools, "run", missing)
    with pytest.raises(ToolFailed, match="not installed"):
        fill()
    assert capsys.readouterr().out == ""


def test_the_fallback_of_the_pager_is_asked_for_where_it_is_used(provisioned: Tenant) -> None:
    assert "pager-fallback-url" not in fill()
    provisioned.set(BACKSTOP_PAGER_FALLBACK="true")
    assert "pager-fallback-url" in fill()


def test_before_anything_is_provisioned_there_is_no_vault(
    tenant: Tenant, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fill"]) == 1
    assert "BACKSTOP_RESPONDER_VAULT is not set: provision first" in capsys.readouterr().err
