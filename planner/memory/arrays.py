"""The one array type of the training account: float64, of any shape, 0-dimensional for a single layout."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from planner.memory.ledger import Number

Floats: TypeAlias = NDArray[np.float64]


def floats(value: Number) -> Floats:
    """A number or an array as float64.

    >>> float(floats(3))
    3.0
    """
    return np.asarray(value, dtype=np.float64)
