"""Records of GPUs, models, node types, engines and offers, and how to find them."""

from planner.catalog.lookup import (
    AmbiguousRecord,
    UnknownRecord,
    add_record,
    gpu,
    ids,
    model,
    node,
    overrides,
    resolve,
    use_catalog,
)
from planner.catalog.records import Gpu, Model, NodeType

__all__ = [
    "AmbiguousRecord",
    "Gpu",
    "Model",
    "NodeType",
    "UnknownRecord",
    "add_record",
    "gpu",
    "ids",
    "model",
    "node",
    "overrides",
    "resolve",
    "use_catalog",
]
