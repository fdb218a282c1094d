"""Smaller models of the same family, the largest first."""

from __future__ import annotations

from planner.catalog.lookup import ids, model
from planner.catalog.parameters import total_params
from planner.catalog.records import Model


def smaller_models(record: Model) -> list[Model]:
    """Models of the record's family with fewer parameters, the largest first.

    >>> from planner.catalog import model
    >>> [m.id for m in smaller_models(model("llama-65b"))]
    ['llama-33b', 'llama-13b', 'llama-7b']
    """
    if not record.family:
        return []
    size = total_params(record)
    stem = record.family.split("-")[0]
    family = [
        m for i in ids("models") if i.startswith(stem) and (m := model(i)).family == record.family
    ]
    return sorted((m for m in family if total_params(m) < size), key=total_params, reverse=True)
