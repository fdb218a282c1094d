"""Exact tensor sizes of a safetensors checkpoint, from the headers alone.

A file starts with the length of its header (8 bytes, little-endian), then the header as JSON: tensor name ->
dtype, shape, and where its bytes lie. No weights are read.
"""

from __future__ import annotations

import json
from math import prod
from pathlib import Path
from typing import Final

from pydantic import JsonValue

from planner.catalog.importers.checkpoint import Checkpoint, StoredTensor
from planner.catalog.importers.problems import read_head, read_text, refuse

BITS: Final = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "U16": 16, "I16": 16,
    "F16": 16, "BF16": 16, "U32": 32, "I32": 32, "F32": 32, "U64": 64, "I64": 64, "F64": 64,
    "C64": 64, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
}  # fmt: skip
"""Bits of one element per dtype of the format."""
_MAX_HEADER_BYTES: Final = 100_000_000
"""The limit the format itself sets."""
INDEX: Final = "model.safetensors.index.json"


def read_safetensors(path: Path) -> Checkpoint:
    """The tensors of a checkpoint: a file, an index, or a directory that holds either.

    Raises:
        DiagnosticError: A file is missing, truncated or no safetensors file.
    """
    tensors: list[StoredTensor] = []
    metadata: dict[str, str] = {}
    seen: dict[str, str] = {}
    for file in _files(path):
        found, extra = read_header(file)
        for tensor in found:
            if tensor.name in seen:
                message = f"tensor `{tensor.name}` is in `{seen[tensor.name]}` as well"
                raise refuse("P005", message, str(file))
            seen[tensor.name] = file.name
        tensors += found
        metadata.update(extra)
    if path.name.endswith(".json") or (path.is_dir() and (path / INDEX).is_file()):
        _complete(path if path.is_file() else path / INDEX, seen)
    return Checkpoint("safetensors", tuple(tensors), metadata)


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        if (path / INDEX).is_file():
            return _files(path / INDEX)
        files = sorted(path.glob("*.safetensors"))
        if not files:
            raise refuse("P001", f"`{path}` holds no safetensors file", str(path))
        return files
    if path.name.endswith(".json"):
        names = sorted(set(_weight_map(path).values()))
        for name in names:
            if "/" in name or "\\" in name or name.startswith(".."):
                raise refuse(
                    "P005", f"the index names a file outside its folder: `{name}`", str(path)
                )
        return [path.parent / name for name in names]
    return [path]


def _weight_map(index: Path) -> dict[str, str]:
    text = read_text(index)
    try:
        content: JsonValue = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 1
        raise refuse("P005", "the index is not valid JSON", str(index), line=line) from error
    weights = content.get("weight_map") if isinstance(content, dict) else None
    if not isinstance(weights, dict) or not weights:
        raise refuse("P005", "the index has no `weight_map`", str(index))
    found = {name: file for name, file in weights.items() if isinstance(file, str)}
    if len(found) != len(weights):
        raise refuse("P005", "`weight_map` must map tensor names to file names", str(index))
    return found


def _complete(index: Path, seen: dict[str, str]) -> None:
    """Every tensor the index promises must be in its file."""
    for name, file in _weight_map(index).items():
        if seen.get(name) != file:
            where = f"is in `{seen[name]}`" if name in seen else "is missing"
            raise refuse("P005", f"tensor `{name}` of `{file}` {where}", str(index))


def read_header(file: Path) -> tuple[list[StoredTensor], dict[str, str]]:
    """The tensors and the metadata of one safetensors file."""
    where = str(file)
    head = read_head(file, 8)
    if len(head) < 8:
        raise refuse("P005", "shorter than the 8 bytes of a safetensors header length", where)
    length = int.from_bytes(head, "little")
    size = file.stat().st_size
    if length > _MAX_HEADER_BYTES or length > size - 8:
        message = (
            f"a header of {length:,} bytes in a file of {size:,}: truncated, or no safetensors"
        )
        raise refuse("P005", message, where)
    try:
        header: JsonValue = json.loads(read_head(file, 8 + length)[8:].decode("utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise refuse("P005", "the header is not valid JSON", where) from error
    if not isinstance(header, dict):
        raise refuse("P005", "the header must be a JSON object", where)
    extra = header.pop("__metadata__", {})
    metadata = {k: str(v) for k, v in extra.items()} if isinstance(extra, dict) else {}
    body = size - 8 - length
    return [_tensor(name, entry, body, file) for name, entry in header.items()], metadata


def _tensor(name: str, entry: JsonValue, body: int, file: Path) -> StoredTensor:
    where = str(file)
    if not isinstance(entry, dict):
        raise refuse("P005", f"tensor `{name}`: its entry must be an object", where)
    dtype, shape, offsets = entry.get("dtype"), entry.get("shape"), entry.get("data_offsets")
    if not isinstance(dtype, str) or dtype not in BITS:
        raise refuse("P005", f"tensor `{name}`: unknown dtype {dtype!r}", where)
    sizes, span = _naturals(shape), _naturals(offsets)
    if sizes is None or span is None or len(span) != 2:
        raise refuse(
            "P005", f"tensor `{name}`: shape and data_offsets must be whole numbers", where
        )
    n_bytes = span[1] - span[0]
    if n_bytes * 8 != prod(sizes) * BITS[dtype]:
        message = f"tensor `{name}`: {n_bytes} bytes do not hold {dtype} of shape {list(sizes)}"
        raise refuse("P005", message, where)
    if span[1] > body:
        message = f"tensor `{name}` ends at byte {span[1]:,} of {body:,}: the file is truncated"
        raise refuse("P005", message, where)
    return StoredTensor(name, dtype, sizes, n_bytes, file.name)


def _naturals(value: JsonValue) -> tuple[int, ...] | None:
    if not isinstance(value, list):
        return None
    found = tuple(v for v in value if isinstance(v, int) and not isinstance(v, bool) and v >= 0)
    return found if len(found) == len(value) else None
