"""The registry of diagnostic codes: a code that is not in it cannot be raised.

P0xx file and syntax, P1xx shape of a field, P2xx cross-reference, P3xx infeasible, P4xx doubtful input (a warning),
P9xx a bug of planner. The texts are in `codes_input` and `codes_outcome`.
"""

from __future__ import annotations

from typing import Final

from planner.diagnostics.code import Code
from planner.diagnostics.codes_input import FILE_CODES, NAME_CODES, SHAPE_CODES
from planner.diagnostics.codes_outcome import BUG_CODES, DOUBT_CODES, OUTCOME_CODES

CODES: Final[dict[str, Code]] = {
    **FILE_CODES,
    **SHAPE_CODES,
    **NAME_CODES,
    **OUTCOME_CODES,
    **DOUBT_CODES,
    **BUG_CODES,
}
"""Every code by name, in order."""

__all__ = ["CODES", "Code"]
