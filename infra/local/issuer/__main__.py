"""`python -m infra.local.issuer [WHO]`: print a new token for the world that `make start` runs.

WHO is one of the people or programs of the local tenant, by default the commander.
"""

import argparse
import asyncio
import sys

import aiohttp
import msgspec

from infra.local.issuer.identities import IDENTITIES
from infra.local.issuer.wallet import Wallet
from infra.local.world import LOCAL

ADDRESSES = LOCAL / "start.json"


def main() -> int:
    """Print it; 1 where no world runs."""
    who = _arguments().who
    try:
        told = msgspec.json.decode(ADDRESSES.read_bytes(), type=dict[str, str])
        print(asyncio.run(Wallet(told["issuer"]).token(who)))
    except (FileNotFoundError, KeyError, aiohttp.ClientError, TimeoutError) as error:
        print(f"no world answers ({error}): run `make start` first", file=sys.stderr)
        return 1
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m infra.local.issuer", description="Print a token of the local world."
    )
    parser.add_argument("who", nargs="?", default="commander", choices=sorted(IDENTITIES))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
