"""What a checkpoint file holds: its tensors with their types, shapes and exact bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import prod


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """One tensor of a checkpoint."""

    name: str
    dtype: str
    """The format's own name: BF16, F8_E4M3, Q4_K, ..."""
    shape: tuple[int, ...]
    n_bytes: int
    file: str

    @property
    def elements(self) -> int:
        """Number of elements; of a packed integer tensor, of the packed words.

        >>> StoredTensor("x", "F32", (2, 3), 24, "a").elements
        6
        """
        return prod(self.shape)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """All tensors of a checkpoint, over all its files."""

    format: str
    tensors: tuple[StoredTensor, ...]
    metadata: dict[str, str] = field(default_factory=dict)

    @property
    def total_bytes(self) -> int:
        """Bytes of all tensors, without headers and padding."""
        return sum(t.n_bytes for t in self.tensors)

    @property
    def elements(self) -> int:
        """Elements of all tensors."""
        return sum(t.elements for t in self.tensors)

    def bytes_by_dtype(self) -> dict[str, int]:
        """Bytes per type, the largest first."""
        return _sums((t.dtype, t.n_bytes) for t in self.tensors)

    def elements_by_dtype(self) -> dict[str, int]:
        """Elements per type, the most frequent first."""
        return _sums((t.dtype, t.elements) for t in self.tensors)


def _sums(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for name, value in pairs:
        total[name] += value
    return dict(total.most_common())
