"""`python -m infra.generate`: write what the deployment reads, made from the reviewed catalog.

With `--check` it writes nothing and fails where a file is not what would be written.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from infra.generate.rules import rule_changes, rules_file
from infra.generate.services import services_file
from infra.generate.workbook import workbook_file
from shared.adapters.catalog import load_catalog
from shared.domain.catalog import Catalog
from shared.errors import RejectedInput

ROOT = Path(__file__).resolve().parents[2]
CATALOG = ROOT / "shared" / "catalog"
FOLDER = ROOT / "infra" / "azure" / "generated"
RULES = "rules.json"
FILES: dict[str, Callable[[Catalog], bytes]] = {
    RULES: rules_file,
    "services.json": services_file,
    "workbook.json": workbook_file,
}


def main(arguments: list[str] | None = None) -> int:
    """Write the files, or check them; 1 where the catalog, or a file, is not in order."""
    asked = _arguments(arguments)
    catalog = load_catalog(asked.catalog)
    for wrong in catalog.mistakes:
        _say(f"{wrong.file}:{wrong.line}: {wrong.field}: {wrong.problem}")
    if catalog.mistakes:
        return 1
    try:
        made = {name: make(catalog) for name, make in FILES.items()}
    except RejectedInput as refused:
        _say(str(refused))
        return 1
    return _check(asked.out, made) if asked.check else _write(asked.out, made)


def _write(folder: Path, made: dict[str, bytes]) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    before = {name: _content(folder / name) for name in made}
    for name, content in made.items():
        (folder / name).write_bytes(content)
        _say(f"{folder / name}: {'as it was' if content == before[name] else 'written'}")
    for line in rule_changes(before[RULES] or b"[]", made[RULES]):
        _say(line)
    if before != made:
        _say("Commit these files with the catalog: the deployment reads them.")
    return 0


def _check(folder: Path, made: dict[str, bytes]) -> int:
    stale = [name for name, content in made.items() if _content(folder / name) != content]
    for name in stale:
        _say(f"{folder / name} is not what the catalog says: run `make generate`")
    return 1 if stale else 0


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _arguments(given: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.generate", description=__doc__)
    parser.add_argument("--catalog", type=Path, default=CATALOG, help="the folder of the services")
    parser.add_argument("--out", type=Path, default=FOLDER, help="where the files go")
    parser.add_argument("--check", action="store_true", help="write nothing, compare")
    return parser.parse_args(given)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
