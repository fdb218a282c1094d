"""GGUF headers: architecture, exact bytes per tensor type, and coded errors for broken files."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.catalog.importers.gguf import read_gguf
from planner.catalog.importers.gguf_types import TYPES
from planner.diagnostics import DiagnosticError


def string(text: str) -> bytes:
    raw = text.encode()
    return struct.pack("<Q", len(raw)) + raw


def pair(key: str, kind: int, value: bytes) -> bytes:
    return string(key) + struct.pack("<I", kind) + value


LLAMA = [
    pair("general.architecture", 8, string("llama")),
    pair("llama.block_count", 4, struct.pack("<I", 32)),
    pair("llama.rope.freq_base", 6, struct.pack("<f", 10000.0)),
    pair("general.file_type", 4, struct.pack("<I", 15)),
    pair("tokenizer.ggml.tokens", 9, struct.pack("<IQ", 8, 3) + b"".join(map(string, "abc"))),
    pair("tokenizer.ggml.scores", 9, struct.pack("<IQ", 6, 5000) + bytes(20000)),
]


def gguf(tensors, pairs=LLAMA, *, version=3, data=True, cut=0) -> bytes:
    """A GGUF file; `tensors` are (name, shape, type number, bytes)."""
    out = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(pairs)) + b"".join(pairs)
    offset = 0
    for name, shape, kind, size in tensors:
        out += string(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape)
        out += struct.pack("<IQ", kind, offset)
        offset += -(-size // 32) * 32
    if data:
        out += bytes(-len(out) % 32) + bytes(offset)
    return out[: len(out) - cut]


MIX = [
    ("token_embd.weight", (256, 10), 12, 10 * 144),
    ("blk.0.attn_q.weight", (256, 256), 14, 256 * 210),
    ("blk.0.attn_norm.weight", (256,), 0, 1024),
    ("output.weight", (32, 4), 39, 4 * 17),
]


def read(tmp_path, content: bytes):
    file = tmp_path / "model.gguf"
    file.write_bytes(content)
    return read_gguf(file)


def failure(tmp_path, content: bytes) -> str:
    with pytest.raises(DiagnosticError) as caught:
        read(tmp_path, content)
    (found,) = caught.value.diagnostics
    assert found.code in {"P001", "P005"}
    assert found.span.file.endswith("model.gguf")
    return found.message


def test_architecture_and_sizes(tmp_path):
    found = read(tmp_path, gguf(MIX))
    assert (found.architecture, found.version, found.size("block_count")) == ("llama", 3, 32)
    assert found.tensors.bytes_by_dtype() == {"Q6_K": 53760, "Q4_K": 1440, "F32": 1024, "MXFP4": 68}
    assert found.tensors.total_bytes == 56292
    assert found.metadata["tokenizer.ggml.tokens"] == ["a", "b", "c"]


def test_header_alone_is_enough(tmp_path):
    assert read(tmp_path, gguf(MIX, data=False)).tensors.total_bytes == 56292


@pytest.mark.parametrize(
    ("name", "bits"),
    [("Q4_0", 4.5), ("Q8_0", 8.5), ("Q4_K", 4.5), ("Q5_K", 5.5), ("Q6_K", 6.5625), ("Q2_K", 2.625),
     ("Q3_K", 3.4375), ("IQ4_XS", 4.25), ("IQ2_XXS", 2.0625), ("IQ1_S", 1.5625), ("MXFP4", 4.25),
     ("BF16", 16), ("TQ1_0", 1.6875)],
)  # fmt: skip
def test_bits_per_weight_are_those_llama_cpp_prints(name, bits):
    (kind,) = [t for t in TYPES.values() if t.name == name]
    assert kind.bits == bits


def test_truncated_data(tmp_path):
    assert "truncated" in failure(tmp_path, gguf(MIX, cut=200))


def test_truncated_header_says_where(tmp_path):
    whole = gguf(MIX, data=False)
    assert "output.weight" in failure(tmp_path, whole[:-4])


def test_other_files(tmp_path):
    assert "GGUF" in failure(tmp_path, b"PK\x03\x04" + bytes(40))
    assert "empty" in failure(tmp_path, b"")
    assert "version 1" in failure(tmp_path, gguf([], version=1))


def test_rows_must_fill_blocks(tmp_path):
    assert "multiple" in failure(tmp_path, gguf([("x", (100, 2), 12, 0)]))


def test_unknown_type(tmp_path):
    assert "type 99" in failure(tmp_path, gguf([("x", (32,), 99, 0)]))


def test_counts_that_no_header_has(tmp_path):
    content = b"GGUF" + struct.pack("<IQQ", 3, 2**60, 2**60)
    assert "not a header" in failure(tmp_path, content)


def test_array_longer_than_the_file(tmp_path):
    pairs = [pair("x", 9, struct.pack("<IQ", 8, 2**50))]
    assert "truncated" in failure(tmp_path, gguf([], pairs))


@given(st.integers(0, len(gguf(MIX, data=False)) - 1), st.integers(0, 255))
def test_a_flipped_byte_never_gives_a_traceback(tmp_path_factory, at, value):
    content = bytearray(gguf(MIX, data=False))
    content[at] = value
    file = tmp_path_factory.mktemp("gguf") / "model.gguf"
    file.write_bytes(bytes(content))
    try:
        codes, total = set(), read_gguf(file).tensors.total_bytes
    except DiagnosticError as error:
        codes, total = {d.code for d in error.diagnostics}, 0
    assert codes <= {"P005"}
    assert total >= 0
