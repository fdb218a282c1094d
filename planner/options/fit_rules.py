"""The well-known rules of thumb beside our own account, for `planner fit --rules`."""

from __future__ import annotations

from planner.catalog.parameters import total_params
from planner.catalog.records import Model
from planner.memory.rules import RULES, seed_parameters
from planner.plan.fit_schema import Fit, KindFit, RuleRow
from planner.units import GB, GIB


def with_rules(fit: Fit, model: Model) -> Fit:
    """The fit with one row per rule: what the rule says, what our account says, what the rule leaves out."""
    params = total_params(model)
    ours = {k.kind: _replica_gb(k) for k in fit.kinds}
    rows = [
        RuleRow(
            rule=f"{rule.name}: {rule.formula}",
            gb=rule.bytes(params) / GB,
            ours_gb=2 * params / GB if rule.formula == "2n" else ours.get(rule.use),
            leaves_out=rule.leaves_out,
        )
        for rule in RULES
    ]
    seed = seed_parameters(model.num_layers, model.hidden_size)
    rows.append(
        RuleRow(
            rule="16-bit weights of 16 L h^2 parameters",
            gb=2 * seed / GB,
            ours_gb=2 * params / GB,
            leaves_out=f"grouped-query attention, the feed-forward width, the vocabulary: {params:,} parameters",
        )
    )
    return fit.model_copy(update={"rules": tuple(rows)})


def _replica_gb(kind: KindFit) -> float | None:
    """All GPUs of the smallest layout that fits; where none does, of the nearest miss."""
    if kind.layouts:
        part = kind.layouts[0]
        return part.ledger.total_gib * part.gpus * GIB / GB
    if kind.explanation is not None and kind.explanation.tried:
        near = kind.explanation.tried[0]
        return near.need_gib * near.gpus * GIB / GB
    return None
