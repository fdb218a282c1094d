"""`extends`, `--set`, standard input, and files that can't be read."""

import io
from pathlib import Path

import pytest

from planner.diagnostics import DiagnosticError
from planner.scenario import load
from scenario.conftest import BASE


@pytest.fixture
def base(tmp_path: Path) -> Path:
    (tmp_path / "base.yaml").write_text(BASE, "utf-8")
    return tmp_path / "base.yaml"


def problems(path: Path | str, *overrides: str) -> list[tuple[str, str]]:
    with pytest.raises(DiagnosticError) as caught:
        load(path, overrides)
    return [(d.code, d.message) for d in caught.value.diagnostics]


def test_extends_merges_mappings_and_named_items(base: Path) -> None:
    child = base.parent / "child.yaml"
    child.write_text(
        "extends: ./base.yaml\nscenario: child\nworkloads:\n  - name: chat\n    context: 16384\n"
        "    slo: {ttft: 1 s}\n  - {name: more, kind: lora, model: llama-3.1-8b, tokens: 1e6}\n",
        "utf-8",
    )
    scenario = load(child)
    assert scenario.name == "child"
    assert [w.name for w in scenario.workloads] == ["chat", "sft", "more"]
    chat = scenario.workload("chat").spec
    assert chat.kind == "inference"
    assert (chat.context, chat.slo.ttft, chat.slo.tpot) == (16384, 1, pytest.approx(0.05))
    assert scenario.span("workloads.chat.context").file == str(child)
    assert scenario.span("workloads.chat.model").file.endswith("base.yaml")
    assert len(scenario.sources) == 2


def test_extends_null_removes_a_key(base: Path) -> None:
    child = base.parent / "child.yaml"
    child.write_text("extends: [./base.yaml]\nenergy: null\n", "utf-8")
    assert load(child).spec.energy is None


def test_errors_in_the_extended_file_point_there(base: Path) -> None:
    base.write_text(BASE.replace("gpu: l40s", "gpu: l40z"), "utf-8")
    child = base.parent / "child.yaml"
    child.write_text("extends: ./base.yaml\n", "utf-8")
    with pytest.raises(DiagnosticError) as caught:
        load(child)
    (found,) = caught.value.diagnostics
    assert found.span is not None
    assert found.span.file.endswith("base.yaml")


def test_extends_in_a_circle(base: Path) -> None:
    base.write_text("extends: ./b.yaml\n" + BASE, "utf-8")
    (base.parent / "b.yaml").write_text("extends: ./base.yaml\n", "utf-8")
    assert problems(base)[0][0] == "P004"


def test_set_changes_values_by_name_and_number(base: Path) -> None:
    scenario = load(
        base,
        ("workloads.chat.context=16384", "inventory[0].owned.nodes=7", "limits.power=40 kW",
         "workloads.sft.zero=[2, 3]", "inventory.cloud.rent.max_nodes=9"),
    )  # fmt: skip
    chat, sft = (w.spec for w in scenario.workloads)
    assert chat.kind == "inference"
    assert sft.kind == "full"
    assert (chat.context, sft.zero, scenario.pools[0].owned_nodes) == (16384, (2, 3), 7)
    assert scenario.spec.limits.power == (40000,)
    assert scenario.pools[1].rent[0].max_nodes == 9


@pytest.mark.parametrize(
    ("override", "code", "text"),
    [
        ("workloads.chat.context=8k", "P102", "8k"),
        ("workloads.chat.contxt=8192", "P101", "contxt"),
        ("workloads.nobody.context=1", "P105", "workloads.nobody"),
        ("workloads[9].context=1", "P105", "workloads[9]"),
        ("workloads.chat.context", "P105", "not an override"),
        ("=5", "P105", "not an override"),
        ("a..b[=5", "P105", "not a path"),
        ("workloads.chat.context={", "P002", "YAML"),
        ("workloads.chat.context=", "P102", "no value"),
    ],
)
def test_bad_overrides_are_located_in_the_option(
    base: Path, override: str, code: str, text: str
) -> None:
    with pytest.raises(DiagnosticError) as caught:
        load(base, (override,))
    found = caught.value.diagnostics[0]
    assert found.code == code
    assert text in found.message
    assert found.span is not None
    assert found.span.file.startswith("--set")
    assert caught.value.sources[found.span.file] == override
    assert found.span.end_column <= len(override) + 2


def test_standard_input() -> None:
    scenario = load("-", stdin=io.StringIO(BASE))
    assert scenario.file == "<stdin>"
    assert scenario.span("scenario").file == "<stdin>"


def test_unreadable_files(tmp_path: Path) -> None:
    (tmp_path / "lab.yaml").write_text("x", "utf-8")
    (tmp_path / "latin.yaml").write_bytes(b"scenario: caf\xe9\n")
    assert problems(tmp_path / "nope.yaml")[0][0] == "P001"
    assert "folder" in problems(tmp_path)[0][1]
    assert "UTF-8" in problems(tmp_path / "latin.yaml")[0][1]
    with pytest.raises(DiagnosticError) as caught:
        load(tmp_path / "lap.yaml")
    assert "lab.yaml" in caught.value.diagnostics[0].help[0]


def test_byte_order_mark_and_windows_lines(tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + BASE.replace("\n", "\r\n").encode())
    scenario = load(path)
    assert scenario.span("workloads.sft.tokens").line == len(BASE.splitlines()) - 1
