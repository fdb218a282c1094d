"""Integer models by HiGHS and SCIP through MathOpt, which keeps incumbent and bound at a limit."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

from planner.optimize.backend import Answer, Stop, Verdict, guarded
from planner.optimize.linear import LinearModel
from planner.optimize.quiet import quiet_stdout

if TYPE_CHECKING:
    from ortools.math_opt import model_pb2, result_pb2


class MipSolver(StrEnum):
    """Solvers behind MathOpt."""

    HIGHS = "highs"
    SCIP = "scip"
    GLOP = "glop"


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
    from pybind11_abseil.status import StatusNotOk

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

    try:
        with quiet_stdout():
            guarded(work, interrupter.interrupt, stop)
    except StatusNotOk as error:
        # A solver that breaks down says nothing about the model.
        return Answer(Verdict.UNKNOWN, wall_s=time.perf_counter() - started, message=str(error))
    return _mip_answer(model, results[0], time.perf_counter() - started)


def relaxed_cost(model: LinearModel, scale: float) -> float | None:
    """Cost of the linear relaxation by GLOP, which sees costs divided by `scale`; None where it proves no optimum."""
    from ortools.math_opt import callback_pb2, model_parameters_pb2, parameters_pb2, result_pb2
    from ortools.math_opt.core.python import solver as core

    proto = _mip_proto(model)
    proto.variables.integers[:] = [False] * len(model.names)
    coefficients = proto.objective.linear_coefficients
    coefficients.values[:] = [c / scale for c in coefficients.values]
    with quiet_stdout():
        result = core.solve(
            proto,
            _mip_type(MipSolver.GLOP),
            parameters_pb2.SolverInitializerProto(),
            parameters_pb2.SolveParametersProto(),
            model_parameters_pb2.ModelSolveParametersProto(),
            None,
            callback_pb2.CallbackRegistrationProto(),
            None,
            None,
        )
    if result.termination.reason != result_pb2.TERMINATION_REASON_OPTIMAL or not result.solutions:
        return None
    cost: float = result.solutions[0].primal_solution.objective_value
    return cost * scale


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
    if not math.isfinite(dual_bound):
        return None
    return math.ceil(dual_bound - max(1e-6, abs(dual_bound) * 1e-9))
