"""The linear master program by GLOP through MathOpt, solved again as columns are added."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ortools.math_opt import result_pb2

Entries = Sequence[tuple[int, float]]
"""(row, coefficient) of one column."""


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
        self._start()

    def _start(self) -> None:
        """A solver that knows the rows and no column."""
        from ortools.math_opt import model_pb2, parameters_pb2
        from ortools.math_opt.core.python import solver as core

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
        """Adds columns >= 0 with their (row, coefficient) entries."""
        if not costs:
            return
        first = len(self._costs)
        self._costs += costs
        self._entries += entries
        self._lows += [0.0] * len(costs)
        self._highs += uppers
        self._tell(first, costs, uppers, entries)

    def _tell(
        self,
        first: int,
        costs: Sequence[float],
        uppers: Sequence[float],
        entries: Sequence[Entries],
    ) -> None:
        """Gives the solver columns from number `first` on."""
        from ortools.math_opt import model_update_pb2

        update = model_update_pb2.ModelUpdateProto()
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

    def bound(self, columns: Sequence[int], lows: Sequence[float], highs: Sequence[float]) -> None:
        """Sets the bounds of columns."""
        for at, low, high in zip(columns, lows, highs, strict=True):
            self._lows[at], self._highs[at] = low, high
        self._tell_bounds(columns, lows, highs)

    def _tell_bounds(
        self, columns: Sequence[int], lows: Sequence[float], highs: Sequence[float]
    ) -> None:
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
            values[at] = value
        duals = [0.0] * self._rows
        dual = solution.dual_solution.dual_values
        for at, value in zip(dual.ids, dual.values, strict=True):
            duals[at] = max(0.0, -value * self._scale)
        return primal.objective_value * self._scale, values, duals

    def _run(self) -> result_pb2.SolveResultProto | None:
        """What GLOP says; None where it breaks down."""
        from ortools.math_opt import callback_pb2, model_parameters_pb2, parameters_pb2
        from pybind11_abseil.status import StatusNotOk

        try:
            return self._solver.solve(
                parameters_pb2.SolveParametersProto(),
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
        self._start()
        self._tell(0, self._costs, self._highs, self._entries)
        self._tell_bounds(range(len(self._costs)), self._lows, self._highs)


def _optimal(result: result_pb2.SolveResultProto) -> bool:
    from ortools.math_opt import result_pb2

    return (
        result.termination.reason == result_pb2.TERMINATION_REASON_OPTIMAL
        and bool(result.solutions)
        and result.solutions[0].HasField("dual_solution")
    )
