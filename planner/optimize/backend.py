"""The only file that calls ortools: integer models by CP-SAT or MathOpt, run so that Ctrl-C keeps the best.

The compiled parts of ortools are called directly with protobuf messages: the public Python modules import
pandas, which costs more than most plans take to solve. The version is pinned exactly for that reason.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from planner.optimize.linear import LinearModel, Row

if TYPE_CHECKING:
    from ortools.math_opt import model_pb2, result_pb2
    from ortools.sat.python import cp_model_helper


class Verdict(StrEnum):
    """What a solver concluded about one model."""

    OPTIMAL = "optimal"
    FEASIBLE = "feasible"
    INFEASIBLE = "infeasible"
    UNKNOWN = "unknown"
    INVALID = "invalid"


class MipSolver(StrEnum):
    """Solvers behind MathOpt."""

    HIGHS = "highs"
    SCIP = "scip"
    GLOP = "glop"


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


def _guarded(work: Callable[[], None], halt: _Stoppable, stop: Stop) -> None:
    """Runs `work` on a thread so that the first Ctrl-C becomes a stop request, the second is raised."""
    failure: list[BaseException] = []

    def body() -> None:
        try:
            work()
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=body, daemon=True)
    stop._running.append(halt)
    try:
        thread.start()
        while thread.is_alive():
            try:
                thread.join(0.2)
            except KeyboardInterrupt:
                if stop.requested:
                    raise
                stop.request()
    finally:
        stop._running.remove(halt)
    if failure:
        raise failure[0]


# ---------------------------------------------------------------- CP-SAT


def run_cp_sat(
    model: LinearModel,
    *,
    deterministic_limit: float,
    wall_limit_s: float | None = None,
    hint: Sequence[int] | None = None,
    subsolver: str | None = None,
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
    wrapper: cp_model_helper.SolveWrapper = cmh.SolveWrapper()
    wrapper.set_parameters(parameters)
    callback = _cp_callback(model, on_solution) if on_solution is not None else None
    if callback is not None:  # the wrapper keeps no reference: ours must outlive the solve
        wrapper.add_solution_callback(callback)
    responses: list[cp_model_helper.CpSolverResponse] = []
    started = time.perf_counter()
    _guarded(lambda: responses.append(_cp_solve(wrapper, proto)), wrapper.stop_search, stop)
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


# ---------------------------------------------------------------- MathOpt


def run_mip(
    model: LinearModel,
    solver: MipSolver,
    *,
    node_limit: int | None = None,
    wall_limit_s: float | None = None,
    hint: Sequence[int] | None = None,
    stop: Stop | None = None,
    relative_gap: float = 0.0,
) -> Answer:
    """Solves by a MathOpt solver; incumbent and bound are taken from its result and re-evaluated.

    A solution is rounded to integers and kept only if each row holds exactly; the bound is floored after
    a margin of one part in 1e9 for the solver's floating-point arithmetic.
    """
    from ortools.math_opt import callback_pb2, model_parameters_pb2, parameters_pb2
    from ortools.math_opt.core.python import solver as core
    from ortools.util.python import pybind_solve_interrupter

    stop = stop or Stop()
    if stop.requested:
        return Answer(Verdict.UNKNOWN, message="stopped")
    parameters = parameters_pb2.SolveParametersProto()
    parameters.relative_gap_tolerance = relative_gap
    parameters.absolute_gap_tolerance = 0.0
    if node_limit is not None:
        parameters.node_limit = node_limit
    if wall_limit_s is not None:
        parameters.time_limit.FromNanoseconds(int(max(wall_limit_s, 1e-3) * 1e9))
    settings = model_parameters_pb2.ModelSolveParametersProto()
    if hint is not None:
        values = settings.solution_hints.add().variable_values
        values.ids.extend(range(len(hint)))
        values.values.extend(float(v) for v in hint)
    interrupter = pybind_solve_interrupter.PySolveInterrupter()
    results: list[result_pb2.SolveResultProto] = []
    started = time.perf_counter()

    def work() -> None:
        results.append(
            core.solve(
                _mip_proto(model),
                _mip_type(solver),
                parameters_pb2.SolverInitializerProto(),
                parameters,
                settings,
                None,
                callback_pb2.CallbackRegistrationProto(),
                None,
                interrupter,
            )
        )

    _guarded(work, interrupter.interrupt, stop)
    return _mip_answer(model, results[0], time.perf_counter() - started)


def _mip_type(solver: MipSolver) -> int:
    from ortools.math_opt import parameters_pb2

    types: dict[MipSolver, int] = {
        MipSolver.HIGHS: parameters_pb2.SOLVER_TYPE_HIGHS,
        MipSolver.SCIP: parameters_pb2.SOLVER_TYPE_GSCIP,
        MipSolver.GLOP: parameters_pb2.SOLVER_TYPE_GLOP,
    }
    return types[solver]


def _mip_proto(model: LinearModel) -> model_pb2.ModelProto:
    from ortools.math_opt import model_pb2

    proto = model_pb2.ModelProto()
    count = len(model.names)
    proto.variables.ids.extend(range(count))
    proto.variables.lower_bounds.extend(float(v) for v in model.lows)
    proto.variables.upper_bounds.extend(float(v) for v in model.highs)
    proto.variables.integers.extend([True] * count)
    objective = sorted(model.objective.items())
    proto.objective.linear_coefficients.ids.extend(v for v, _ in objective)
    proto.objective.linear_coefficients.values.extend(float(c) for _, c in objective)
    proto.linear_constraints.ids.extend(range(len(model.rows)))
    infinity = float("inf")
    for index, one in enumerate(model.rows):
        proto.linear_constraints.lower_bounds.append(
            -infinity if one.low is None else float(one.low)
        )
        proto.linear_constraints.upper_bounds.append(
            infinity if one.high is None else float(one.high)
        )
        terms = sorted(one.terms)
        matrix = proto.linear_constraint_matrix
        matrix.row_ids.extend([index] * len(terms))
        matrix.column_ids.extend(v for v, _ in terms)
        matrix.coefficients.extend(float(c) for _, c in terms)
    return proto


def _mip_answer(model: LinearModel, result: result_pb2.SolveResultProto, wall_s: float) -> Answer:
    from ortools.math_opt import result_pb2

    reason = result.termination.reason
    if reason in (
        result_pb2.TERMINATION_REASON_INFEASIBLE,
        result_pb2.TERMINATION_REASON_INFEASIBLE_OR_UNBOUNDED,
    ):
        return Answer(Verdict.INFEASIBLE, wall_s=wall_s)
    values = _mip_values(model, result)
    bound = _floor_bound(result.termination.objective_bounds.dual_bound)
    if values is None:
        return Answer(Verdict.UNKNOWN, None, bound, 0.0, wall_s, result.termination.detail)
    cost = model.evaluate(values)
    proven = reason == result_pb2.TERMINATION_REASON_OPTIMAL and (
        not model.objective or (bound is not None and bound >= cost)
    )
    return Answer(
        Verdict.OPTIMAL if proven else Verdict.FEASIBLE,
        values,
        min(bound, cost) if bound is not None else None,
        0.0,
        wall_s,
        result.termination.detail,
    )


def _mip_values(model: LinearModel, result: result_pb2.SolveResultProto) -> tuple[int, ...] | None:
    best: tuple[int, ...] | None = None
    for solution in result.solutions:
        if not solution.HasField("primal_solution"):
            continue
        sparse = solution.primal_solution.variable_values
        dense = [0] * len(model.names)
        for column, value in zip(sparse.ids, sparse.values, strict=True):
            dense[column] = round(value)
        if model.broken(dense):
            continue
        if best is None or model.evaluate(dense) < model.evaluate(best):
            best = tuple(dense)
    return best


def _floor_bound(dual_bound: float) -> int | None:
    """The least integer objective a floating-point dual bound still proves.

    >>> _floor_bound(28.999999999999996), _floor_bound(float("-inf"))
    (29, None)
    """
    import math

    if not math.isfinite(dual_bound):
        return None
    return math.ceil(dual_bound - max(1e-6, abs(dual_bound) * 1e-9))


# ---------------------------------------------------------------- GLOP


class MasterProgram:
    """A linear program by GLOP that grows by columns: minimise cost, rows `sum <= right-hand side`.

    Costs are scaled to at most 1e5: unscaled ones made GLOP fail without saying so.
    """

    def __init__(self, rights: Sequence[float], scale: float) -> None:
        from ortools.math_opt import model_pb2, parameters_pb2
        from ortools.math_opt.core.python import solver as core

        self._rows = len(rights)
        self._scale = scale
        self._count = 0
        proto = model_pb2.ModelProto()
        proto.linear_constraints.ids.extend(range(self._rows))
        proto.linear_constraints.lower_bounds.extend([-float("inf")] * self._rows)
        proto.linear_constraints.upper_bounds.extend(float(r) for r in rights)
        self._solver = core.new(
            parameters_pb2.SOLVER_TYPE_GLOP, proto, parameters_pb2.SolverInitializerProto()
        )

    def add(
        self,
        costs: Sequence[float],
        uppers: Sequence[float],
        entries: Sequence[Sequence[tuple[int, float]]],
    ) -> None:
        """Adds columns >= 0 with their (row, coefficient) entries."""
        from ortools.math_opt import model_update_pb2

        if not costs:
            return
        update = model_update_pb2.ModelUpdateProto()
        first = self._count
        ids = range(first, first + len(costs))
        update.new_variables.ids.extend(ids)
        update.new_variables.lower_bounds.extend([0.0] * len(costs))
        update.new_variables.upper_bounds.extend(uppers)
        update.new_variables.integers.extend([False] * len(costs))
        nonzero = [(i, c / self._scale) for i, c in zip(ids, costs, strict=True) if c]
        linear = update.objective_updates.linear_coefficients
        linear.ids.extend(i for i, _ in nonzero)
        linear.values.extend(c for _, c in nonzero)
        triples = sorted(
            (at, i, float(c))
            for i, column in zip(ids, entries, strict=True)
            for at, c in column
            if c
        )
        matrix = update.linear_constraint_matrix_updates
        matrix.row_ids.extend(t[0] for t in triples)
        matrix.column_ids.extend(t[1] for t in triples)
        matrix.coefficients.extend(t[2] for t in triples)
        if not self._solver.update(update):
            raise RuntimeError("GLOP refused new columns")
        self._count += len(costs)

    def bound(self, columns: Sequence[int], lows: Sequence[float], highs: Sequence[float]) -> None:
        """Sets the bounds of columns."""
        from ortools.math_opt import model_update_pb2

        update = model_update_pb2.ModelUpdateProto()
        updates = update.variable_updates
        updates.lower_bounds.ids.extend(columns)
        updates.lower_bounds.values.extend(lows)
        updates.upper_bounds.ids.extend(columns)
        updates.upper_bounds.values.extend(highs)
        if not self._solver.update(update):
            raise RuntimeError("GLOP refused new bounds")

    def solve(self) -> tuple[float, list[float], list[float]] | None:
        """(objective, column values, duals >= 0 of the rows), or None where GLOP is not optimal."""
        from ortools.math_opt import callback_pb2, model_parameters_pb2, parameters_pb2, result_pb2

        result = self._solver.solve(
            parameters_pb2.SolveParametersProto(),
            model_parameters_pb2.ModelSolveParametersProto(),
            None,
            callback_pb2.CallbackRegistrationProto(),
            None,
            None,
        )
        if (
            result.termination.reason != result_pb2.TERMINATION_REASON_OPTIMAL
            or not result.solutions
            or not result.solutions[0].HasField("dual_solution")
        ):
            return None
        solution = result.solutions[0]
        primal = solution.primal_solution
        values = [0.0] * self._count
        for at, value in zip(
            primal.variable_values.ids, primal.variable_values.values, strict=True
        ):
            values[at] = value
        duals = [0.0] * self._rows
        dual = solution.dual_solution.dual_values
        for at, value in zip(dual.ids, dual.values, strict=True):
            duals[at] = max(0.0, -value * self._scale)
        return primal.objective_value * self._scale, values, duals
