"""`python -m infra.local.prepare`: make the tables, as the deployment does in Azure."""

import asyncio

from shared.services import Services


async def prepare() -> None:
    """Make what does not exist yet, and say that it is there."""
    services = Services()
    await services.prepare()
    await services.close()
    print("ready", flush=True)


if __name__ == "__main__":
    asyncio.run(prepare())
