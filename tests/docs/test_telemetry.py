"""The examples of docs/telemetry.md run as they stand."""

from tests.docs.documents import read


def test_the_examples_of_the_helper_run() -> None:
    examples = [
        block.text for block in read("docs/telemetry.md").blocks if block.language == "python"
    ]

    assert len(examples) == 2
    for example in examples:
        exec(compile(example, "docs/telemetry.md", "exec"), {})  # noqa: S102 - our own text
