"""The diagnostic of two values that contradict one another."""

from __future__ import annotations

from collections.abc import Sequence

from planner.diagnostics import Diagnostic, Label, Severity
from planner.scenario.located import Located
from planner.scenario.paths import Step, span_of


def clash(
    root: Located, first: Sequence[Step], message: str, second: Sequence[Step] = (), *,
    help: str = "", label: str = "", related: str = "",
) -> Diagnostic:  # fmt: skip
    """A P210 at one value, with a label on the value it contradicts."""
    labels = (Label(span_of(root, second), related or "contradicts this"),) if second else ()
    return Diagnostic(
        "P210",
        Severity.ERROR,
        message,
        span_of(root, first),
        label=label,
        labels=labels,
        help=(help,) if help else (),
    )
