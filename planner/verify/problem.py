"""What a re-check finds: disagreements between a plan and its scenario, each with both numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One disagreement between the plan and what the scenario gives."""

    check: str
    """The check that found it: `memory`, `placement`, `money`, ..."""
    subject: str
    """Workload or pool; empty where the plan as a whole is meant."""
    message: str
    """What the plan says and what was re-derived, both with their numbers."""

    def __str__(self) -> str:
        """One line, such as `memory: chat: ...`."""
        subject = f"{self.subject}: " if self.subject else ""
        return f"{self.check}: {subject}{self.message}"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check looked at, and what it found wrong."""

    check: str
    looked: str
    """What was compared, with counts: `9 assignments re-derived, largest difference 0.00 GiB`."""
    problems: tuple[Problem, ...] = ()


class VerificationError(Exception):
    """A plan that does not agree with its scenario; it must not be shown as an answer."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Keep all problems; the message lists the first few."""
        self.problems = tuple(problems)
        first = "; ".join(str(p) for p in self.problems[:3])
        more = f" (and {len(self.problems) - 3} more)" if len(self.problems) > 3 else ""
        super().__init__(f"the plan does not verify: {first}{more}")
