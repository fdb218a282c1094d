"""Work whose result is wanted later, done meanwhile by a forked child."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Generic, NoReturn, Self, TypeVar

T = TypeVar("T")


def can_fork() -> bool:
    """Whether a child may be forked and has a processor of its own.

    A fork copies only the thread that asks for it, so there must be no other; macOS forbids it to programs that use
    its own libraries.
    """
    if not sys.platform.startswith("linux") or threading.active_count() > 1:
        return False
    return len(os.sched_getaffinity(0)) > 1


class Beside(Generic[T]):
    """The result of `work`, by a child from now on, or here once it is asked for: it is the same either way.

    A context manager, at the end of which no child is left.
    """

    def __init__(self, work: Callable[[], T], *, fork: bool) -> None:
        """Starts the child, if there is to be one."""
        self._work = work
        self._child = 0
        self._pipe = -1
        if fork:
            self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.drop()

    def result(self) -> T:
        """Waits for the child; where there is none, or it fails, the work is done here."""
        data = self._read() if self._child else b""
        self.drop()
        try:
            found: T = pickle.loads(data)
        except (EOFError, pickle.UnpicklingError):
            # Nothing, or what a child wrote that was ended halfway.
            return self._work()
        return found

    def drop(self) -> None:
        """Ends the child, whatever it is doing."""
        if self._child:
            child, self._child = self._child, 0
            os.close(self._pipe)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)

    def _start(self) -> None:
        self._pipe, theirs = os.pipe()
        self._child = os.fork()
        if not self._child:
            self._be_the_child(theirs)
        os.close(theirs)

    def _read(self) -> bytes:
        parts = []
        while part := os.read(self._pipe, 1 << 16):
            parts.append(part)
        return b"".join(parts)

    def _be_the_child(self, pipe: int) -> NoReturn:
        """Writes the pickled result, or nothing after an error. Ctrl-C is the parent's to handle."""
        try:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            os.close(self._pipe)
            data = pickle.dumps(self._work())
            while data:
                data = data[os.write(pipe, data) :]
        finally:
            os._exit(0)
