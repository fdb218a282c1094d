"""A few rows of a vectorized pass, so that the records made of them do not keep all the others alive."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")
ASKED: Final = frozenset({"ask", "cases", "pools", "recipe", "chosen", "kernel"})


def taken(whole: T, rows: NDArray[np.int64], size: int) -> T:
    """A record of arrays over `size` rows with these rows only; what has no such axis stays as it is.

    What was asked, of whom and how (`ASKED`) is not looked into.

    >>> from planner.memory.ledger import Component, Ledger
    >>> ledger = Ledger((Component("weights", np.array([1, 2, 3]), 9, "f"),), 5.0, 4.0, "cuda_total")
    >>> part = taken(ledger, np.array([2, 0]), 3)
    >>> part.components[0].best.tolist(), part.components[0].upper, part.usable
    ([3, 1], 9, 5.0)
    """
    changes = {}
    for field in fields(whole):  # type: ignore[arg-type]
        if field.name in ASKED:
            continue
        value = getattr(whole, field.name)
        part = _part(value, rows, size)
        if part is not value:
            changes[field.name] = part
    return replace(whole, **changes) if changes else whole  # type: ignore[type-var]


def _part(value: object, rows: NDArray[np.int64], size: int) -> object:
    if isinstance(value, np.ndarray):
        return value[rows] if value.shape == (size,) else value
    if isinstance(value, tuple) and value and is_dataclass(value[0]):
        parts = tuple(_part(one, rows, size) for one in value)
        return value if all(a is b for a, b in zip(parts, value, strict=True)) else parts
    if is_dataclass(value) and not isinstance(value, type):
        return taken(value, rows, size)
    return value
