"""Whatever is done to a valid scenario, it loads or gets located messages: never a traceback."""

import copy
import json
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from planner.diagnostics import render_text
from planner.diagnostics.jsonform import to_json
from scenario.conftest import BASE, diagnostics_of
from scenario.test_mistakes import check_words

TREE = yaml.load(BASE, yaml.BaseLoader)
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(
        [
            "80 GiB",
            "5 /s",
            "auto",
            "none",
            "full",
            "llama-65b",
            "1e999999999 GiB",
            "9" * 300,
            "-1 d",
        ]
    ),
    st.dates(),
    st.lists(st.integers(0, 9), max_size=3),
    st.dictionaries(
        st.sampled_from(["name", "kind", "min", "nodes", "x"]), st.integers(0, 3), max_size=2
    ),
)


def places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    items = (
        tree.items()
        if isinstance(tree, dict)
        else enumerate(tree)
        if isinstance(tree, list)
        else ()
    )
    for key, value in items:
        found += places(value, (*path, key))
    return found


PLACES = places(TREE)


def child(tree: Any, step: Any) -> Any:
    """What lies one step below, None where an earlier mutation took it away."""
    try:
        return tree[step] if isinstance(tree, dict | list) else None
    except (KeyError, IndexError, TypeError):
        return None


def mutate(tree: Any, path: tuple[Any, ...], how: str, value: Any) -> None:
    for step in path[:-1]:
        tree = child(tree, step)
    last = path[-1]
    if child(tree, last) is None:
        return
    if how == "delete":
        del tree[last]
    elif how == "rename" and isinstance(tree, dict):
        tree[str(value)] = tree.pop(last)
    else:
        tree[last] = value


MUTATION = st.tuples(st.sampled_from(PLACES), st.sampled_from(["delete", "rename", "set"]), ODD)
QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@given(st.lists(MUTATION, min_size=1, max_size=4))
@settings(max_examples=150, suppress_health_check=QUIET, deadline=None)
def test_mutated_trees(tmp_path: Path, mutations: list[tuple[tuple[Any, ...], str, Any]]) -> None:
    tree = copy.deepcopy(TREE)
    for path, how, value in mutations:
        mutate(tree, path, how, value)
    check(tmp_path, yaml.safe_dump(tree, sort_keys=False, allow_unicode=True))


@given(
    st.integers(0, len(BASE) - 1),
    st.integers(0, 8),
    st.text(alphabet="{}[]:,-&*'\"#|> \n\taé0", max_size=4),
)
@settings(max_examples=150, suppress_health_check=QUIET, deadline=None)
def test_mutated_texts(tmp_path: Path, at: int, removed: int, inserted: str) -> None:
    check(tmp_path, BASE[:at] + inserted + BASE[at + removed :])


def check(folder: Path, text: str) -> None:
    path = folder / "scenario.yaml"
    path.write_text(text, "utf-8")
    found = diagnostics_of(path)
    check_words(found)
    lines = text.splitlines()
    for d in found:
        assert d.span is not None
        assert 1 <= d.span.line <= max(1, len(lines))
        assert 1 <= d.span.column < d.span.end_column
    places = [(d.span.line, d.span.column) for d in found if d.span]
    assert places == sorted(places)
    for width in (60, 100):
        rendered = render_text(found, width=width, cap=1000)
        source = [line for line in rendered.splitlines() if not line.lstrip().startswith("-->")]
        assert all(len(line) <= max(width, 60) + 60 for line in source)
    json.dumps(to_json(found))
