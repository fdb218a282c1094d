"""The header of a GGUF file: metadata, tensors, and the exact bytes of each.

Layout (ggml's gguf specification, versions 2 and 3): magic `GGUF`, version, tensor count, key-value count, the
key-value pairs, the tensor infos (name, dimensions, type, offset). No weights are read.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Final

from planner.catalog.importers.checkpoint import Checkpoint, StoredTensor
from planner.catalog.importers.gguf_types import TYPES
from planner.catalog.importers.problems import refuse

Value = int | float | bool | str | list["Value"]

_SCALARS: Final = {
    0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q",
    12: "<d",
}  # fmt: skip
_STRING: Final = 8
_ARRAY: Final = 9
_MOST_NAMES: Final = 10_000_000
_KEPT_ITEMS: Final = 1024
"""Arrays are kept up to this length: vocabularies of 100,000 tokens are read over."""
_MOST_DIMENSIONS: Final = 8


@dataclass(frozen=True, slots=True)
class Gguf:
    """The header of a GGUF file."""

    version: int
    metadata: dict[str, Value]
    tensors: Checkpoint

    @property
    def architecture(self) -> str:
        """`general.architecture`, such as llama or qwen3moe; empty where the file has none."""
        return str(self.metadata.get("general.architecture", ""))

    def size(self, key: str) -> int | None:
        """A whole number of the architecture's own keys, such as `block_count`."""
        value = self.metadata.get(f"{self.architecture}.{key}")
        return value if isinstance(value, int) and not isinstance(value, bool) else None


@dataclass(slots=True)
class _Stream:
    """Reads values off the start of a file; a read past its end is a coded error."""

    file: Path
    data: memoryview
    at: int = 0
    context: list[str] = field(default_factory=lambda: ["the header"])

    def take(self, count: int) -> memoryview:
        if count < 0 or self.at + count > len(self.data):
            message = (
                f"the file ends inside {self.context[-1]} (byte {self.at:,}): truncated or no GGUF"
            )
            raise refuse("P005", message, str(self.file))
        self.at += count
        return self.data[self.at - count : self.at]

    def scalar(self, code: str) -> int | float | bool:
        value: int | float | bool = struct.unpack(code, self.take(struct.calcsize(code)))[0]
        return value

    def natural(self, code: str) -> int:
        return int(self.scalar(code))

    def string(self) -> str:
        return bytes(self.take(self.natural("<Q"))).decode("utf-8", "replace")

    def value(self, kind: int, depth: int = 0) -> Value:
        if kind in _SCALARS:
            return self.scalar(_SCALARS[kind])
        if kind == _STRING:
            return self.string()
        if kind == _ARRAY and depth < 4:
            return self.array(depth)
        raise refuse("P005", f"unknown value type {kind} in {self.context[-1]}", str(self.file))

    def array(self, depth: int) -> list[Value]:
        inner, count = self.natural("<I"), self.natural("<Q")
        if inner in _SCALARS and count > _KEPT_ITEMS:
            self.take(count * struct.calcsize(_SCALARS[inner]))
            return []
        kept: list[Value] = []
        for index in range(count):
            item = self.value(inner, depth + 1)
            if index < _KEPT_ITEMS:
                kept.append(item)
        return kept


def read_gguf(path: Path) -> Gguf:
    """The header of a GGUF file.

    Raises:
        DiagnosticError: The file cannot be read, is no GGUF file, is truncated, or holds an unknown type.
    """
    import mmap

    try:
        with (
            path.open("rb") as stream,
            mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data,
        ):
            view = memoryview(data)
            try:
                return _parse(_Stream(path, view))
            finally:
                view.release()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "the file is empty"
        raise refuse("P001", f"`{path}` cannot be read: {reason}", str(path)) from error


def _parse(stream: _Stream) -> Gguf:
    where = str(stream.file)
    if bytes(stream.take(4)) != b"GGUF":
        raise refuse("P005", "the file does not start with `GGUF`", where)
    version = stream.natural("<I")
    if version not in (2, 3):
        hint = " (a big-endian file?)" if version > 0xFFFF else ""
        raise refuse("P005", f"GGUF version {version}{hint}; versions 2 and 3 can be read", where)
    tensor_count, pair_count = stream.natural("<Q"), stream.natural("<Q")
    if max(tensor_count, pair_count) > _MOST_NAMES:
        raise refuse(
            "P005", f"{tensor_count:,} tensors and {pair_count:,} keys: not a header", where
        )
    metadata: dict[str, Value] = {}
    for _ in range(pair_count):
        stream.context[-1] = f"the metadata after {len(metadata)} keys"
        key = stream.string()
        stream.context[-1] = f"the value of `{key[:60]}`"
        metadata[key] = stream.value(stream.natural("<I"))
    infos = [_info(stream, index) for index in range(tensor_count)]
    _check_extent(stream, infos, metadata)
    tensors = tuple(tensor for tensor, _ in infos)
    return Gguf(version, metadata, Checkpoint("gguf", tensors))


def _info(stream: _Stream, index: int) -> tuple[StoredTensor, int]:
    """One tensor and where its data starts, counted from the start of all data."""
    where = str(stream.file)
    stream.context[-1] = f"tensor {index}"
    name = stream.string()
    stream.context[-1] = f"tensor `{name[:60]}`"
    dimensions = stream.natural("<I")
    if dimensions > _MOST_DIMENSIONS:
        raise refuse("P005", f"tensor `{name}` has {dimensions} dimensions", where)
    shape = tuple(stream.natural("<Q") for _ in range(dimensions))
    number, offset = stream.natural("<I"), stream.natural("<Q")
    kind = TYPES.get(number)
    if kind is None:
        raise refuse("P005", f"tensor `{name}` is of unknown type {number}", where)
    row = shape[0] if shape else 1
    if row % kind.block_elements:
        message = f"tensor `{name}`: rows of {row} are no multiple of {kind.name}'s block of {kind.block_elements}"
        raise refuse("P005", message, where)
    n_bytes = prod(shape) // kind.block_elements * kind.block_bytes
    return StoredTensor(name, kind.name, shape, n_bytes, stream.file.name), offset


def _check_extent(
    stream: _Stream, infos: list[tuple[StoredTensor, int]], metadata: dict[str, Value]
) -> None:
    """The data of the last tensor must end inside the file; a file of only a header passes."""
    alignment = metadata.get("general.alignment", 32)
    step = alignment if isinstance(alignment, int) and alignment > 0 else 32
    start = -(-stream.at // step) * step
    if stream.at == len(stream.data) or not infos:
        return
    tensor, offset = max(infos, key=lambda item: item[1] + item[0].n_bytes)
    end = start + offset + tensor.n_bytes
    if end > len(stream.data):
        message = f"tensor `{tensor.name}` ends at byte {end:,} of {len(stream.data):,}: the file is truncated"
        raise refuse("P005", message, str(stream.file))
