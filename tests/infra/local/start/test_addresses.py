"""Addresses of a world that is left running: the usual ports, or free ones where they are taken."""

import msgspec

from infra.local.ports import is_free
from infra.local.start.addresses import PREFERRED, choose_addresses, tell_addresses


def test_the_usual_ports_are_taken_where_they_are_free() -> None:
    where, drills = choose_addresses()
    chosen = {"responder": where.responder, "inbox": where.ports.inbox, "drills": drills}
    for name, port in chosen.items():
        assert port == PREFERRED[name] or not is_free(PREFERRED[name])


def test_no_port_is_given_twice() -> None:
    where, drills = choose_addresses()
    ports = msgspec.structs.astuple(where.ports)
    every = [where.tables, where.blobs, where.responder, where.executor, drills, *ports]
    assert len(set(every)) == len(every)


def test_scripts_are_told_where_people_and_programs_ask() -> None:
    where, _ = choose_addresses()
    assert tell_addresses(where, "http://127.0.0.1:7074") == {
        "api": where.api,
        "inbox": where.inbox,
        "endpoint": where.endpoint,
        "drills": "http://127.0.0.1:7074",
        "issuer": where.issuer,
    }
