"""docs/accuracy.md is what `planner accuracy` writes today for the shipped measurements."""

from pathlib import Path

from click.testing import CliRunner

from planner.cli.accuracy import accuracy

ROOT = Path(__file__).parents[2]
COMMAND = "planner accuracy --trust all --format md tests/measurements/* > docs/accuracy.md"


def test_page_is_current() -> None:
    files = sorted(
        str(p) for p in (ROOT / "tests" / "measurements").iterdir() if p.suffix in (".yaml", ".csv")
    )
    result = CliRunner().invoke(accuracy, ["--trust", "all", "--format", "md", *files])
    assert result.exit_code == 0
    written = (ROOT / "docs" / "accuracy.md").read_text("utf-8")
    assert result.output == written, f"run: {COMMAND}"
