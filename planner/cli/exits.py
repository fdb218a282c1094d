"""Exit codes, the same for every command."""

from __future__ import annotations

from typing import Final

from planner.plan.schema import Status

EXIT_UNMET: Final = 5
"""A condition the user asked for is unmet (--require-proof, a plan that does not verify)."""
EXIT_BUG: Final = 70
EXIT_BY_STATUS: Final = {
    Status.PROVEN: 0,
    Status.FEASIBLE: 0,
    Status.INFEASIBLE: 3,
    Status.UNKNOWN: 4,
    Status.INVALID: EXIT_BUG,
}
