"""The loader with short ways reads what PyYAML's own reads, and refuses what it refuses."""

from pathlib import Path

import pytest
import yaml

from planner.catalog.yaml_loader import Loader

CATALOGS = Path(__file__).resolve().parents[2] / "catalogs"
TEXTS = [
    "",
    "a",
    "{a: 1, b: 1.5, c: true, d: no, e: ~, f: 2024-01-01, g: 1:30, h: '1', i: .inf, 7: x}",
    "a: &x {k: 1}\nb: {<<: *x, l: 2}\nc: [*x, *x]\n",
    "a: |\n  two\n  lines\nb: >\n  one\n  line\nc: !!str 5\nd: !!int '6'\ne: !!set {x, y}",
    "{a: 1, a: 2}",
]
REFUSED = ["a: [", "a: !unknown 1", "!!str {a: 1}", "{[1]: 2}", "a: *nothing", "a: !!int x", "\x00"]


@pytest.mark.parametrize("text", TEXTS)
def test_values(text: str) -> None:
    assert yaml.load(text, Loader) == yaml.load(text, yaml.SafeLoader)


@pytest.mark.parametrize("text", REFUSED)
def test_refusals(text: str) -> None:
    for loader in (Loader, yaml.SafeLoader):
        with pytest.raises((yaml.YAMLError, ValueError)):
            yaml.load(text, loader)


@pytest.mark.parametrize("folder", ["engines", "frameworks", "gpus", "nodes", "models", "speed"])
def test_shipped_files(folder: str) -> None:
    for path in sorted((CATALOGS / folder).glob("*.yaml"))[:15]:
        text = path.read_text("utf-8")
        assert yaml.load(text, Loader) == yaml.load(text, yaml.SafeLoader)
