"""Keeps what a solver's C++ code prints off standard output, which holds results only."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def quiet_stdout() -> Iterator[None]:
    """Send file descriptor 1 to nowhere for a while.

    HiGHS prints debugging lines with C's printf now and then, whatever its settings. Python's own `sys.stdout` is
    flushed before and not written to meanwhile; C's buffer is flushed while the descriptor still leads to nowhere.
    """
    with suppress(ValueError, OSError):
        sys.stdout.flush()
    _flush_c()
    try:
        saved = os.dup(1)
    except OSError:
        # Standard output is closed: there is nothing to keep clean.
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
        _flush_c()
    finally:
        os.dup2(saved, 1)
        os.close(saved)
        os.close(nowhere)


def _flush_c() -> None:
    """Empty C's buffers, where the platform lets us reach its library."""
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).fflush(None)
