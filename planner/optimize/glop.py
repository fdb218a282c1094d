"""The linear master program by GLOP through MathOpt, solved again as columns are added."""

from __future__ import annotations

from collections.abc import Sequence


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
