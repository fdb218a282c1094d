"""One line of progress on a terminal, and only past a second."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from planner.cli.terminal import terminal_width
from planner.units import from_cents, money

if TYPE_CHECKING:
    from planner.optimize.outcome import Progress

PATIENCE_S: Final = 1.0
"""No progress is shown before this."""


@contextmanager
def progress_line(
    *, enabled: bool, verbose: bool = False
) -> Iterator[Callable[[Progress], None] | None]:
    """A callback that rewrites one line on stderr, wiped at the end; `verbose` prints and keeps each line."""
    if verbose:
        yield lambda event: print(f"{event.wall_s:7.1f} s  {_words(event)}", file=sys.stderr)
        return
    if not enabled or os.environ.get("TERM") == "dumb":
        yield None
        return
    start = time.monotonic()
    shown = False

    def report(event: Progress) -> None:
        nonlocal shown
        if time.monotonic() - start < PATIENCE_S:
            return
        sys.stderr.write(f"\r\x1b[K{_words(event)[: terminal_width() - 1]}")
        sys.stderr.flush()
        shown = True

    try:
        yield report
    finally:
        if shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def _words(event: Progress) -> str:
    best = "-" if event.incumbent_cents is None else money(from_cents(event.incumbent_cents))
    bound = "-" if event.bound_cents is None else money(from_cents(event.bound_cents))
    gap = "" if event.gap is None else f"  gap {100 * event.gap:.2f} %"
    return f"{event.stage}  best {best}  bound {bound}{gap}"
