"""`python -m infra.doctor`: whether Backstop could act now, and what to do where it could not.

With BACKSTOP_TABLES in the environment it looks at that deployment: as you, by your own sign-in,
and as both apps, by the reports that each keeps of itself. Else it asks the local world that
`make start` runs. 1 where a check failed or nobody could be asked.
"""

import argparse
import asyncio
import os
import sys

from infra.doctor.api import NotRunning
from infra.doctor.deployed import look_at_deployment
from infra.doctor.local import ask_local_world
from infra.doctor.table import Findings, show
from shared.errors import BackstopError

_NOTHING = """There is nothing to look at: {why}.

  on this machine    make start, wait until it says where it is, then make doctor again
  in Azure           az login, then with the app settings of the responder in the environment
                     (docs/operations.md; at least BACKSTOP_TABLES, BACKSTOP_BLOBS,
                     BACKSTOP_LOGS_WORKSPACE, BACKSTOP_PUBLIC_URL and
                     BACKSTOP_BUS__fullyQualifiedNamespace): make doctor
"""


def main(given: list[str] | None = None) -> int:
    """Look, and print what was found; 0 where no check failed."""
    asked = _arguments(given)
    try:
        findings = asyncio.run(_look(write=asked.write_noop))
    except NotRunning as error:
        sys.stdout.write(_NOTHING.format(why=error))
        return 1
    except BackstopError as error:
        sys.stdout.write(f"It cannot be looked at: {error}\n")
        return 1
    show(findings)
    return 1 if findings.failed else 0


async def _look(*, write: bool) -> Findings:
    if os.environ.get("BACKSTOP_TABLES"):  # noqa: TID251 - only whether there is any setting
        return await look_at_deployment(write=write)
    return await ask_local_world()


def _arguments(given: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.doctor", description=__doc__)
    parser.add_argument(
        "--write-noop",
        action="store_true",
        help="write the traffic of endpoints as it is, where a maintenance window is open now",
    )
    return parser.parse_args(given)


if __name__ == "__main__":
    sys.exit(main())
