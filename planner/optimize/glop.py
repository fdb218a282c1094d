"""The linear master program by GLOP through MathOpt, solved again as columns are added."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ortools.math_opt import result_pb2

Entries = Sequence[tuple[int, float]]
"""(row, coefficient) of one column."""
ASLEEP = -1


class MasterProgram:
    """A linear program by GLOP that grows by columns: minimise cost, rows `sum <= right-hand side`.

    Costs are scaled to at most 1e5: unscaled ones made GLOP fail without saying so. Where it breaks down on the
    way from the last solution, it starts again from none.
    """

    def __init__(self, rights: Sequence[float], scale: float) -> None:
        self._rights = tuple(rights)
        self._rows = len(rights)
        self._scale = scale
        self._costs: list[float] = []
        self._entries: list[Entries] = []
        self._lows: list[float] = []
        self._highs: list[float] = []
        self._places: list[int] = []
        """Number of each column in the solver, or `ASLEEP`."""
        self._awake: list[int] = []
        """Column of each number in the solver."""
        self._start()

    def _start(self) -> None:
        """A solver that knows the rows and no column."""
        from ortools.math_opt import model_pb2, parameters_pb2
        from ortools.math_opt.core.python import solver as core

        self._awake = []
        proto = model_pb2.ModelProto()
        proto.linear_constraints.ids.extend(range(self._rows))
        proto.linear_constraints.lower_bounds.extend([-float("inf")] * self._rows)
        proto.linear_constraints.upper_bounds.extend(float(r) for r in self._rights)
        self._solver = core.new(
            parameters_pb2.SOLVER_TYPE_GLOP, proto, parameters_pb2.SolverInitializerProto()
        )

    def add(
        self,
        costs: Sequence[float],
        uppers: Sequence[float],
        entries: Sequence[Entries],
    ) -> None:
        """Adds columns >= 0 with their (row, coefficient) entries; those with upper bound 0 sleep until it rises."""
        first = len(self._costs)
        self._costs += costs
        self._entries += entries
        self._lows += [0.0] * len(costs)
        self._highs += uppers
        self._places += [ASLEEP] * len(costs)
        self._wake([at for at in range(first, len(self._costs)) if self._highs[at] > 0])

    def bound(self, columns: Sequence[int], lows: Sequence[float], highs: Sequence[float]) -> None:
        """Sets the bounds of columns."""
        for at, low, high in zip(columns, lows, highs, strict=True):
            self._lows[at], self._highs[at] = low, high
        self._tell_bounds([at for at in columns if self._places[at] != ASLEEP])
        self._wake([at for at in columns if self._places[at] == ASLEEP and self._highs[at] > 0])

    def _wake(self, columns: Sequence[int]) -> None:
        """Gives the solver columns that it did not have."""
        from ortools.math_opt import model_update_pb2

        if not columns:
            return
        update = model_update_pb2.ModelUpdateProto()
        first = len(self._awake)
        self._awake += columns
        for place, at in enumerate(columns, start=first):
            self._places[at] = place
        ids = range(first, len(self._awake))
        update.new_variables.ids.extend(ids)
        update.new_variables.lower_bounds.extend(self._lows[at] for at in columns)
        update.new_variables.upper_bounds.extend(self._highs[at] for at in columns)
        update.new_variables.integers.extend([False] * len(columns))
        costs = ((place, self._costs[at]) for place, at in zip(ids, columns, strict=True))
        nonzero = [(place, cost / self._scale) for place, cost in costs if cost]
        linear = update.objective_updates.linear_coefficients
        linear.ids.extend(place for place, _ in nonzero)
        linear.values.extend(cost for _, cost in nonzero)
        triples = sorted(
            (row, place, float(c))
            for place, at in zip(ids, columns, strict=True)
            for row, c in self._entries[at]
            if c
        )
        matrix = update.linear_constraint_matrix_updates
        matrix.row_ids.extend(t[0] for t in triples)
        matrix.column_ids.extend(t[1] for t in triples)
        matrix.coefficients.extend(t[2] for t in triples)
        if not self._solver.update(update):
            raise RuntimeError("GLOP refused new columns")

    def _tell_bounds(self, columns: Sequence[int]) -> None:
        from ortools.math_opt import model_update_pb2

        if not columns:
            return
        pairs = sorted((self._places[at], at) for at in columns)
        update = model_update_pb2.ModelUpdateProto()
        updates = update.variable_updates
        updates.lower_bounds.ids.extend(place for place, _ in pairs)
        updates.lower_bounds.values.extend(self._lows[at] for _, at in pairs)
        updates.upper_bounds.ids.extend(place for place, _ in pairs)
        updates.upper_bounds.values.extend(self._highs[at] for _, at in pairs)
        if not self._solver.update(update):
            raise RuntimeError("GLOP refused new bounds")

    def solve(self) -> tuple[float, list[float], list[float]] | None:
        """(objective, column values, duals >= 0 of the rows), or None where GLOP is not optimal."""
        result = self._run()
        if result is None:
            self._again()
            result = self._run()
        if result is None or not _optimal(result):
            return None
        solution = result.solutions[0]
        primal = solution.primal_solution
        values = [0.0] * len(self._costs)
        for at, value in zip(
            primal.variable_values.ids, primal.variable_values.values, strict=True
        ):
            values[self._awake[at]] = value
        duals = [0.0] * self._rows
        dual = solution.dual_solution.dual_values
        for at, value in zip(dual.ids, dual.values, strict=True):
            duals[at] = max(0.0, -value * self._scale)
        return primal.objective_value * self._scale, values, duals

    def _run(self) -> result_pb2.SolveResultProto | None:
        """What GLOP says; None where it breaks down."""
        from ortools.math_opt import callback_pb2, model_parameters_pb2, parameters_pb2
        from pybind11_abseil.status import StatusNotOk

        # Prices change little from one solve to the next: the dual simplex goes on from the last basis, which
        # presolve would throw away.
        parameters = parameters_pb2.SolveParametersProto(
            lp_algorithm=parameters_pb2.LP_ALGORITHM_DUAL_SIMPLEX,
            presolve=parameters_pb2.EMPHASIS_OFF,
        )
        try:
            return self._solver.solve(
                parameters,
                model_parameters_pb2.ModelSolveParametersProto(),
                None,
                callback_pb2.CallbackRegistrationProto(),
                None,
                None,
            )
        except StatusNotOk:
            return None

    def _again(self) -> None:
        """The same program in a new solver."""
        awake = self._awake
        self._start()
        self._wake(awake)


def _optimal(result: result_pb2.SolveResultProto) -> bool:
    from ortools.math_opt import result_pb2

    return (
        result.termination.reason == result_pb2.TERMINATION_REASON_OPTIMAL
        and bool(result.solutions)
        and result.solutions[0].HasField("dual_solution")
    )
