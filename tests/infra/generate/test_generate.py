"""`make generate`: what is written is what the catalog says, nothing that Azure would refuse."""

import re
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from infra.generate.__main__ import CATALOG, FOLDER, main
from infra.generate.rules import MOST_CHARACTERS, rules_file
from shared.adapters.catalog import load_catalog
from shared.domain.catalog import Catalog
from shared.domain.detection.rule import AlertRule
from shared.domain.detection.rules import rules_of_all
from shared.errors import RejectedInput
from tests.shared.domain.detection.watched import ANSWERED, FAST, QUOTES


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    """The shipped catalog, to be changed."""
    copied = tmp_path / "catalog"
    shutil.copytree(CATALOG, copied)
    return copied


def generate(catalog: Path, out: Path, *more: str) -> int:
    return main(["--catalog", str(catalog), "--out", str(out), *more])


def test_what_is_in_the_repository_is_what_the_catalog_says() -> None:
    assert generate(CATALOG, FOLDER, "--check") == 0, "run `make generate`"


def test_the_rules_are_told_in_camel_case_with_all_their_fields() -> None:
    written: list[dict[str, Any]] = msgspec.json.decode((FOLDER / "rules.json").read_bytes())
    rules = rules_of_all(load_catalog(CATALOG).services.values())

    assert [rule["name"] for rule in written] == [rule.name for rule in rules]
    assert msgspec.convert(written, tuple[AlertRule, ...]) == rules
    assert {"evaluationFrequency", "measureColumn", "timeSeries"} <= written[0].keys()


def test_a_changed_service_makes_the_files_stale(
    catalog: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "generated"
    assert generate(catalog, out) == 0
    assert generate(catalog, out, "--check") == 0
    policy = catalog / "policy-search.yaml"
    policy.write_text(policy.read_text().replace("target: 0.98", "target: 0.97"))

    assert generate(catalog, out, "--check") == 1
    assert "rules.json is not what the catalog says" in capsys.readouterr().out
    assert generate(catalog, out) == 0
    assert generate(catalog, out, "--check") == 0


def test_it_says_which_rules_are_new_other_and_gone(
    catalog: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "generated"
    generate(catalog, out)
    assert "  new: fnol-summary-availability-burn-14.4x-1h" in capsys.readouterr().out.splitlines()

    generate(catalog, out)
    assert capsys.readouterr().out.splitlines() == [
        *(f"{out}/{name}.json: as it was" for name in ("rules", "services", "workbook")),
        "fnol-summary: 12 rules",
        "policy-search: 6 rules",
    ]

    policy = catalog / "policy-search.yaml"
    policy.write_text(policy.read_text().replace("target: 0.98", "target: 0.97"))
    (catalog / "fnol-summary.yaml").unlink()
    generate(catalog, out)
    told = capsys.readouterr().out
    assert "  gone: fnol-summary-availability-burn-14.4x-1h\n" in told
    assert "  changed: policy-search-" in told
    assert told.endswith("Commit these files with the catalog: the deployment reads them.\n")


def test_a_file_that_is_missing_is_stale(catalog: Path, tmp_path: Path) -> None:
    assert generate(catalog, tmp_path / "nothing", "--check") == 1


def test_a_broken_catalog_is_not_shipped(
    catalog: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = catalog / "policy-search.yaml"
    file.write_text(file.read_text().replace("tier: 2", "tier: 9"))

    assert generate(catalog, tmp_path / "out") == 1
    assert "policy-search.yaml:8: spec.tier" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()


def test_a_rule_that_azure_would_refuse_is_never_written() -> None:
    indicator = msgspec.structs.replace(ANSWERED.indicator, good="toscalar(AppEvents | count) > 0")
    slo = msgspec.structs.replace(ANSWERED, indicator=indicator)
    broken = msgspec.structs.replace(QUOTES, slos=(slo,))

    with pytest.raises(RejectedInput, match=r"quotes-availability.*toscalar is not allowed"):
        rules_file(Catalog(services={"quotes": broken}))


def test_two_rules_of_one_name_are_refused() -> None:
    twice = msgspec.structs.replace(ANSWERED, alerts=(FAST, FAST))
    doubled = msgspec.structs.replace(QUOTES, slos=(twice,))

    with pytest.raises(RejectedInput, match="name twice"):
        rules_file(Catalog(services={"quotes": doubled}))


def many(count: int) -> Catalog:
    """So many services as the example, each with its own names."""
    example = load_catalog(CATALOG).services["fnol-summary"]
    made = {f"s{number:03}": msgspec.structs.replace(example, name=f"s{number:03}")
            for number in range(count)}  # fmt: skip
    return Catalog(services=made)


def test_five_hundred_services_are_refused_and_told_how_many_one_deployment_takes() -> None:
    with pytest.raises(RejectedInput) as refused:
        rules_file(many(500))

    told = re.fullmatch(
        r"too-many-rules: rules.json would have ([\d,]+) characters for 6,000 rules of 500"
        r" services, and Bicep reads at most 1,048,576: about (\d+) such services\."
        r" Deploy an environment for each group .*: docs/deploy.md, How far one deployment reaches",
        str(refused.value),
    )
    assert told
    assert int(told[1].replace(",", "")) > MOST_CHARACTERS
    fits = int(told[2])
    assert len(rules_file(many(fits))) <= MOST_CHARACTERS
    with pytest.raises(RejectedInput):
        rules_file(many(fits + 1))


def test_what_is_too_large_is_said_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = tmp_path / "catalog", tmp_path / "out"
    folder.mkdir()
    text = (CATALOG / "policy-search.yaml").read_text()
    for number in range(130):
        name = f"search-{number:03}"
        own = re.sub(r"  dependencies:\n(    .*\n)+", "", text.replace("policy-search", name))
        (folder / f"{name}.yaml").write_text(own)

    assert generate(folder, out) == 1
    assert "of 130 services, and Bicep reads at most" in capsys.readouterr().out
    assert not out.exists()
