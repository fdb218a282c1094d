"""YAML 1.2 scalars, places, and the traps of YAML."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.diagnostics import DiagnosticError, Severity
from planner.scenario import load
from planner.scenario.located import parse_located
from planner.scenario.paths import parse_path, path_text, span_of


def plain(text: str) -> Any:
    return parse_located(text, "f.yaml").plain()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"), ("yes", "yes"), ("on", "on"), ("off", "off"), ("y", "y"), ("NO", "NO"),
        ("true", True), ("False", False), ("TRUE", True), ("tRUE", "tRUE"),
        ("1:30", "1:30"), ("1:30:00", "1:30:00"), ("12:30:45.5", "12:30:45.5"),
        ("1e3", 1000.0), ("2e9", 2e9), ("1.5e9", 1.5e9), ("1E3", 1000.0), ("+3", 3), ("-7", -7),
        ("010", 10), ("0o10", 8), ("0x1F", 31), ("1_000", "1_000"), (".5", 0.5), ("5.", 5.0),
        (".inf", float("inf")), ("-.inf", float("-inf")),
        ("~", None), ("null", None), ("", None), ("None", "None"),
        ("2027-01-01", date(2027, 1, 1)), ("2027-13-01", "2027-13-01"), ("'2027-01-01'", "2027-01-01"),
        ('"5"', "5"), ("!!str 5", "5"), ("80 GiB", "80 GiB"), ("=", "="),
    ],
)  # fmt: skip
def test_scalars_follow_yaml_1_2(text: str, value: object) -> None:
    found = plain(f"a: {text}")["a"]
    assert found == value
    assert type(found) is type(value)


def test_every_value_knows_its_place() -> None:
    root = parse_located("a: 1\nb:\n  - {c: x, d: [10, 20]}\n  - e: yy\n", "f.yaml")
    assert [(s.line, s.column, s.end_column) for s in [span_of(root, parse_path("b[0].d[1]"))]] == [
        (3, 20, 22)
    ]
    assert span_of(root, parse_path("b[1].e")).column == 8
    assert span_of(root, ["b", 0]).column == 6, "a mapping stands at its first key"
    assert root.keys["b"].line == 2


def test_anchors_and_merge_keys() -> None:
    text = "base: &b {x: 1, y: 2}\nother: {<<: *b, y: 3}\ntwice: {<<: [*b, {z: 9}]}\n"
    assert plain(text)["other"] == {"x": 1, "y": 3}
    assert plain(text)["twice"] == {"x": 1, "y": 2, "z": 9}


def test_duplicate_keys_are_all_found() -> None:
    with pytest.raises(DiagnosticError) as caught:
        parse_located("a: 1\na: 2\nb: {c: 1, c: 2}\n", "f.yaml")
    assert [(d.code, d.span and d.span.line) for d in caught.value.diagnostics] == [
        ("P003", 2),
        ("P003", 3),
    ]


def test_bomb_of_aliases_is_refused_quickly() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    with pytest.raises(DiagnosticError) as caught:
        parse_located("\n".join(lines), "f.yaml")
    assert "too many values" in caught.value.diagnostics[0].message


@pytest.mark.parametrize(
    "text", ["", "   \n", "# only a comment\n", "\x00", "a: \x07b", "[" * 5000, "a: {b: " * 3000]
)
def test_hopeless_texts_are_located_errors(text: str) -> None:
    with pytest.raises(DiagnosticError) as caught:
        parse_located(text, "f.yaml")
    assert {d.code for d in caught.value.diagnostics} == {"P002"}
    assert all(d.span and d.span.line >= 1 and d.span.column >= 1 for d in caught.value.diagnostics)


@given(st.text(alphabet=st.sampled_from("ab:-[]{},\"'\n \t#&*!|>%@`01é漢"), max_size=60))
def test_any_text_is_a_value_or_a_located_error(text: str) -> None:
    try:
        parse_located(text, "f.yaml").plain()
    except DiagnosticError as error:
        lines = text.splitlines() or [""]
        for d in error.diagnostics:
            assert d.span is not None
            assert 1 <= d.span.line <= len(lines) + 1


@given(
    st.lists(
        st.one_of(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), st.integers(0, 99)),
        min_size=1,
        max_size=6,
    )
)
def test_paths_survive_a_round_trip(steps: list[str | int]) -> None:
    assert parse_path(path_text(steps)) == steps


def test_a_key_twice_does_not_hide_the_other_problems(tmp_path: Path) -> None:
    file = tmp_path / "twice.yaml"
    file.write_text(
        "scenario: twice\n"
        "inventory:\n"
        "  - {pool: box, gpu: l40x, owned: {nodes: 1}}\n"
        "workloads:\n"
        "  - {name: a, kind: inference, model: llama-3.1-8b, context: 2048, context: 4096,\n"
        "     demand: {concurrent: 1, prmpt: 5}}\n",
        "utf-8",
    )
    with pytest.raises(DiagnosticError) as caught:
        load(file)
    assert {"P003", "P101", "P202"} <= {d.code for d in caught.value.diagnostics}


def test_a_key_twice_alone_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "twice.yaml"
    text = (Path(__file__).parent / "base.yaml").read_text("utf-8")
    file.write_text(text + "\nscenario: again\n", "utf-8")
    with pytest.raises(DiagnosticError) as caught:
        load(file)
    assert [d.code for d in caught.value.diagnostics if d.severity is Severity.ERROR] == ["P003"]
