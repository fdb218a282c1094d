"""The direct MIP in a process of its own: HiGHS does not stop when asked, a process does.

`python -m planner.optimize.aside` reads one pickled request from its parent and writes the pickled answer.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from planner.optimize.backend import Answer, Verdict
from planner.optimize.linear import LinearModel
from planner.optimize.mathopt import MipSolver, run_mip


@dataclass(frozen=True, slots=True)
class Request:
    """What the child is to solve."""

    model: LinearModel
    node_limit: int
    wall_limit_s: float | None
    hint: Sequence[int] | None
    relative_gap: float


@dataclass(slots=True)
class Aside:
    """A direct MIP that runs beside the caller and can be ended at any moment."""

    request: Callable[[], Request]
    """Asked when the child starts: with the best plan and the time left then."""
    possible: bool = True
    """False: the model is too large for it, and it counts as ended without an answer."""
    answer: Answer | None = None
    _child: subprocess.Popen[bytes] | None = None
    _thread: threading.Thread | None = None
    _ended: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Starts the child, once, in a session of its own, so that Ctrl-C reaches the parent only."""
        if not self.possible:
            self._ended.set()
        if not self.possible or self._child is not None:
            return
        self._child = subprocess.Popen(
            [sys.executable, "-m", "planner.optimize.aside"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        request = pickle.dumps(self.request())
        self._thread = threading.Thread(target=self._exchange, args=(request,), daemon=True)
        self._thread.start()

    def _exchange(self, request: bytes) -> None:
        child = self._child
        if child is None:
            return
        try:
            output, _ = child.communicate(request)
            if child.returncode == 0 and output:
                answer = pickle.loads(output)
                self.answer = answer if isinstance(answer, Answer) else None
        finally:
            self._ended.set()

    @property
    def started(self) -> bool:
        """Whether the child was ever put to work."""
        return self._child is not None

    @property
    def closed(self) -> bool:
        """Whether the child has solved the model to the end."""
        answer = self.answer
        return answer is not None and answer.verdict in (Verdict.OPTIMAL, Verdict.INFEASIBLE)

    def wait(self, seconds: float) -> bool:
        """Waits for the answer; True once there is one or the child is gone."""
        return self._ended.wait(seconds)

    def end(self) -> None:
        """Ends the child, whatever it is doing."""
        if self._child is not None and self._child.poll() is None:
            self._child.kill()
        if self._thread is not None:
            self._thread.join(5)


def main() -> None:
    """Solves the request on standard input."""
    request: Request = pickle.loads(sys.stdin.buffer.read())
    answer = run_mip(
        request.model,
        MipSolver.HIGHS,
        node_limit=request.node_limit,
        wall_limit_s=request.wall_limit_s,
        hint=request.hint,
        relative_gap=request.relative_gap,
    )
    sys.stdout.buffer.write(pickle.dumps(answer))


if __name__ == "__main__":
    from planner.optimize import aside

    aside.main()
