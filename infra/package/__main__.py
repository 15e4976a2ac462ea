"""`python -m infra.package [responder] [executor]`: build the zips that a deployment uploads.

They end in .local/package, each beside the folder that it was made of. `make package` runs
this, and azd does before it deploys. Nothing is built in Azure: what was tested here is what runs
there.
"""

import argparse
import sys
from pathlib import Path

from infra.package.package import APPS, build
from infra.package.wheels import Refused, download

FOLDER = Path(__file__).resolve().parents[2] / ".local" / "package"


def main() -> int:
    """Build what the command line names; 1 where a package cannot be had."""
    arguments = _arguments()
    for app in arguments.apps or APPS:
        try:
            package = build(app, arguments.folder, download)
        except Refused as refusal:
            print(f"package: {refusal}", file=sys.stderr)
            return 1
        print(f"{package}: {package.stat().st_size / 1e6:.1f} MB")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.package", description=__doc__)
    parser.add_argument("apps", nargs="*", metavar="app", choices=[*APPS, []])
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the zips end")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
