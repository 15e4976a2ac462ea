"""Service Bus on one machine: an AMQP 1.0 server in memory, for development and tests only.

The way of a message: `connection` cuts bytes into frames (`frames`, `performatives`, and below
them `decode`, `encode`, `values`), `session` and `attach` keep the links, `transfers` hands a
message to the `broker`, which stores it in each subscription's `queue`; from there it goes to a
link, and `settlement` ends it. `management` answers requests, `emulator` is all of it as one thing.

Refused, because nothing here uses it: queues, sessions, SQL filters, duplicate detection,
forwarding, transactions. Not imitated: access control, quotas, throttling by load, detaching idle
links, TLS. tests/infra/local/bus/test_conformance.py holds what is imitated, and can be run against
Microsoft's emulator or a real namespace with `--bus-connection`.
"""

from infra.local.bus.config import read_config
from infra.local.bus.emulator import Emulator

__all__ = ["Emulator", "read_config"]
