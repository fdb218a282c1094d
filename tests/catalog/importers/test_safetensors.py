"""Sizes of safetensors checkpoints from their headers; a broken header is a coded error."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.catalog.importers.safetensors import INDEX, read_safetensors
from planner.diagnostics import DiagnosticError


def write(path, tensors, *, body: int | None = None, metadata=None):
    """A safetensors file of zeros; `tensors` maps name -> (dtype, shape, bytes)."""
    header, at = ({"__metadata__": metadata} if metadata else {}), 0
    for name, (dtype, shape, size) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(at if body is None else body))


def failure(path):
    with pytest.raises(DiagnosticError) as caught:
        read_safetensors(path)
    (found,) = caught.value.diagnostics
    assert found.span.file
    return found


def test_bytes_by_dtype(tmp_path):
    file = tmp_path / "model.safetensors"
    write(
        file,
        {
            "w": ("BF16", [4, 8], 64),
            "s": ("F32", [2], 8),
            "q": ("F8_E4M3", [16], 16),
            "p": ("F4", [6], 3),
        },
        metadata={"format": "pt"},
    )
    found = read_safetensors(file)
    assert found.total_bytes == 91
    assert found.bytes_by_dtype() == {"BF16": 64, "F8_E4M3": 16, "F32": 8, "F4": 3}
    assert found.elements_by_dtype()["BF16"] == 32
    assert found.metadata == {"format": "pt"}


def test_directory_with_an_index(tmp_path):
    write(tmp_path / "a.safetensors", {"x": ("F16", [3], 6)})
    write(tmp_path / "b.safetensors", {"y": ("F16", [5], 10)})
    index = {
        "metadata": {"total_size": 16},
        "weight_map": {"x": "a.safetensors", "y": "b.safetensors"},
    }
    (tmp_path / INDEX).write_text(json.dumps(index), "utf-8")
    assert read_safetensors(tmp_path).total_bytes == 16
    assert read_safetensors(tmp_path / INDEX).total_bytes == 16


def test_directory_without_an_index(tmp_path):
    write(tmp_path / "a.safetensors", {"x": ("F16", [3], 6)})
    assert read_safetensors(tmp_path).total_bytes == 6


def test_scalar_tensor(tmp_path):
    write(tmp_path / "a.safetensors", {"x": ("F32", [], 4)})
    assert read_safetensors(tmp_path).elements == 1


def test_index_that_promises_more_than_there_is(tmp_path):
    write(tmp_path / "a.safetensors", {"x": ("F16", [3], 6)})
    (tmp_path / INDEX).write_text(
        '{"weight_map": {"x": "a.safetensors", "y": "a.safetensors"}}', "utf-8"
    )
    assert "`y`" in failure(tmp_path).message


def test_missing_shard(tmp_path):
    (tmp_path / INDEX).write_text('{"weight_map": {"x": "gone.safetensors"}}', "utf-8")
    assert failure(tmp_path).code == "P001"


def test_index_may_not_leave_its_folder(tmp_path):
    (tmp_path / INDEX).write_text('{"weight_map": {"x": "../../secret"}}', "utf-8")
    assert failure(tmp_path).code == "P005"


def test_truncated_body(tmp_path):
    file = tmp_path / "a.safetensors"
    write(file, {"x": ("F16", [300], 600)}, body=100)
    assert "truncated" in failure(file).message


def test_size_that_contradicts_the_shape(tmp_path):
    file = tmp_path / "a.safetensors"
    write(file, {"x": ("F16", [3], 8)})
    assert "do not hold F16" in failure(file).message


def test_unknown_dtype(tmp_path):
    file = tmp_path / "a.safetensors"
    write(file, {"x": ("Q7", [3], 8)})
    assert "Q7" in failure(file).message


def test_empty_directory_and_missing_file(tmp_path):
    assert failure(tmp_path).code == "P001"
    assert failure(tmp_path / "none.safetensors").code == "P001"


@given(st.binary(max_size=64))
def test_any_bytes_give_a_coded_error_or_no_tensors(tmp_path_factory, content):
    file = tmp_path_factory.mktemp("st") / "a.safetensors"
    file.write_bytes(content)
    try:
        codes, tensors = [], read_safetensors(file).tensors
    except DiagnosticError as error:
        codes, tensors = [d.code for d in error.diagnostics], ()
    assert codes == ["P005"] or tensors == ()


@given(st.text(alphabet='{}[]":,0123456789aFx.', max_size=60))
def test_any_header_text_gives_a_coded_error_or_sizes(tmp_path_factory, text):
    file = tmp_path_factory.mktemp("st") / "a.safetensors"
    raw = text.encode()
    file.write_bytes(len(raw).to_bytes(8, "little") + raw)
    try:
        codes, total = [], read_safetensors(file).total_bytes
    except DiagnosticError as error:
        codes, total = [d.code for d in error.diagnostics], 0
    assert codes in (["P005"], [])
    assert total == 0
