"""Integer models by CP-SAT, run so that Ctrl-C keeps the best; with `mathopt` and `glop` all that calls ortools.

The compiled parts of ortools are called directly with protobuf messages: the public Python modules import
pandas, which costs more than most plans take to solve. The version is pinned exactly for that reason.
"""

from __future__ import annotations

import importlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from planner.optimize.linear import LinearModel, Row

if TYPE_CHECKING:
    from ortools.sat.python import cp_model_helper


class Verdict(StrEnum):
    """What a solver concluded about one model."""

    OPTIMAL = "optimal"
    FEASIBLE = "feasible"
    INFEASIBLE = "infeasible"
    UNKNOWN = "unknown"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one solver run gave: exact integers, never its floating-point objective."""

    verdict: Verdict
    values: tuple[int, ...] | None = None
    bound: int | None = None
    """Proven lower bound on the objective, rounded to the safe side."""
    deterministic_time: float = 0.0
    wall_s: float = 0.0
    message: str = ""


class _Stoppable(Protocol):
    def __call__(self) -> None: ...


@dataclass(slots=True)
class Stop:
    """Asks the running solver to stop and keeps later ones from starting. Safe from any thread."""

    requested: bool = False
    _running: list[_Stoppable] = field(default_factory=list)

    def request(self) -> None:
        """Stops whatever runs now; the best solution so far is kept."""
        self.requested = True
        for halt in list(self._running):
            halt()


def guarded(work: Callable[[], None], halt: _Stoppable, stop: Stop) -> None:
    """Runs `work` on a thread so that the first Ctrl-C becomes a stop request, the second is raised.

    Waits for an event of its own: Python 3.11 takes a thread for finished whose `join` a signal interrupts.
    """
    failure: list[BaseException] = []
    done = threading.Event()

    def body() -> None:
        try:
            work()
        except BaseException as error:
            failure.append(error)
        finally:
            done.set()

    thread = threading.Thread(target=body, daemon=True)
    stop._running.append(halt)
    try:
        thread.start()
        while not done.is_set():
            try:
                done.wait(0.2)
            except KeyboardInterrupt:
                if stop.requested:
                    raise
                stop.request()
    finally:
        stop._running.remove(halt)
    if failure:
        raise failure[0]


def load_cp_sat() -> None:
    """Loads the solver, which is otherwise done when it is first needed."""
    importlib.import_module("ortools.sat.python.cp_model_helper")


def run_cp_sat(
    model: LinearModel,
    *,
    deterministic_limit: float,
    wall_limit_s: float | None = None,
    hint: Sequence[int] | None = None,
    subsolver: str | None = None,
    light: bool = False,
    stop: Stop | None = None,
    on_solution: Callable[[int], None] | None = None,
    workers: int = 1,
    seed: int = 0,
) -> Answer:
    """Solves by CP-SAT with one worker, so that the same model gives the same answer.

    Args:
        model: All-integer model; with no objective any feasible point will do.
        deterministic_limit: Work limit in CP-SAT's deterministic seconds.
        wall_limit_s: Wall-clock limit; only where the user asks, since it ends determinism.
        hint: A value for each column.
        subsolver: Name of one CP-SAT search, such as `reduced_costs`; default: its own choice.
        light: One pass of presolve without probing, which costs more than small models take to solve.
        stop: Stop request.
        on_solution: Called with the exact objective of each better solution.
        workers: Parallel workers; more than one is not deterministic (benchmarks only).
        seed: Random seed.
    """
    from ortools.sat.python import cp_model_helper as cmh

    stop = stop or Stop()
    if stop.requested:
        return Answer(Verdict.UNKNOWN, message="stopped")
    proto = _cp_proto(model, hint)
    parameters = cmh.SatParameters()
    parameters.num_workers = workers
    parameters.max_deterministic_time = max(deterministic_limit, 1e-3)
    if wall_limit_s is not None:
        parameters.max_time_in_seconds = max(wall_limit_s, 1e-3)
    parameters.presolve_inclusion_work_limit = 0
    parameters.catch_sigint_signal = False
    parameters.random_seed = seed
    if subsolver is not None:
        parameters.subsolvers.append(subsolver)
    if light:
        parameters.cp_model_probing_level = 0
        parameters.max_presolve_iterations = 1
    wrapper: cp_model_helper.SolveWrapper = cmh.SolveWrapper()
    wrapper.set_parameters(parameters)
    callback = _cp_callback(model, on_solution) if on_solution is not None else None
    if callback is not None:  # the wrapper keeps no reference: ours must outlive the solve
        wrapper.add_solution_callback(callback)
    responses: list[cp_model_helper.CpSolverResponse] = []
    started = time.perf_counter()
    guarded(lambda: responses.append(_cp_solve(wrapper, proto)), wrapper.stop_search, stop)
    return _cp_answer(model, responses[0], time.perf_counter() - started)


def _cp_solve(
    wrapper: cp_model_helper.SolveWrapper, proto: cp_model_helper.CpModelProto
) -> cp_model_helper.CpSolverResponse:
    run: Callable[[cp_model_helper.CpModelProto], cp_model_helper.CpSolverResponse] = wrapper.solve
    return run(proto)


def _cp_proto(model: LinearModel, hint: Sequence[int] | None) -> cp_model_helper.CpModelProto:
    from ortools.sat.python import cp_model_helper as cmh

    proto = cmh.CpModelProto()
    variables = proto.variables
    for low, high in zip(model.lows, model.highs, strict=True):
        variables.add().domain.extend([low, high])
    constraints = proto.constraints
    for one in model.rows:
        linear = constraints.add().linear
        linear.vars.extend([v for v, _ in one.terms])
        linear.coeffs.extend([c for _, c in one.terms])
        linear.domain.extend(_cp_domain(one))
    if model.objective:
        proto.objective.vars.extend(list(model.objective.keys()))
        proto.objective.coeffs.extend(list(model.objective.values()))
        proto.objective.scaling_factor = 1.0
    if hint is not None:
        proto.solution_hint.vars.extend(list(range(len(hint))))
        proto.solution_hint.values.extend(list(hint))
    return proto


def _cp_domain(one: Row) -> list[int]:
    """Open sides become the widest 64-bit value, as CP-SAT expects."""
    low = -(2**63) if one.low is None else one.low
    high = 2**63 - 1 if one.high is None else one.high
    return [low, high]


def _cp_callback(
    model: LinearModel, on_solution: Callable[[int], None]
) -> cp_model_helper.SolutionCallback:
    from ortools.sat.python import cp_model_helper as cmh

    class Callback(cmh.SolutionCallback):
        def OnSolutionCallback(self) -> None:  # noqa: N802
            on_solution(sum(c * self.SolutionIntegerValue(v) for v, c in model.objective.items()))

    return Callback()


def _cp_answer(
    model: LinearModel, response: cp_model_helper.CpSolverResponse, wall_s: float
) -> Answer:
    verdict = {
        "OPTIMAL": Verdict.OPTIMAL,
        "FEASIBLE": Verdict.FEASIBLE,
        "INFEASIBLE": Verdict.INFEASIBLE,
        "MODEL_INVALID": Verdict.INVALID,
    }.get(response.status.name, Verdict.UNKNOWN)
    values = None
    if verdict in (Verdict.OPTIMAL, Verdict.FEASIBLE):
        values = tuple(int(v) for v in response.solution)
    bound = None
    if model.objective and verdict in (Verdict.OPTIMAL, Verdict.FEASIBLE, Verdict.UNKNOWN):
        bound = int(response.inner_objective_lower_bound)
    return Answer(
        verdict, values, bound, response.deterministic_time, wall_s, response.solution_info
    )
