"""Ctrl-C while a solver runs becomes a stop request, and what the solver then returns is kept."""

from __future__ import annotations

import signal
import threading
import time

from planner.optimize.backend import Stop, guarded


def test_first_ctrl_c_asks_to_stop_and_waits_for_the_answer() -> None:
    stop, halted, results = Stop(), threading.Event(), list[str]()

    def work() -> None:
        halted.wait(20)
        time.sleep(0.3)
        results.append("best so far")

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
    timer.start()
    try:
        guarded(work, halted.set, stop)
    finally:
        signal.signal(signal.SIGINT, before)
        timer.cancel()
    assert stop.requested
    assert results == ["best so far"]
