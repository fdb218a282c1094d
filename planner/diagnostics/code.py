"""What is known of a diagnostic code."""

from __future__ import annotations

from typing import NamedTuple


class Code(NamedTuple):
    """A registered code: what it means and what to do, for `planner explain CODE`."""

    title: str
    explanation: str = ""
    example: str = ""
    """Lines of a scenario that raise it, merged over a valid one."""
    instead: str = ""
    """The same lines as they should be."""
