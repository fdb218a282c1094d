"""Records of GPUs, models, node types, engines and offers, and how to find them."""

from planner.catalog.lookup import UnknownRecord, gpu, ids, model, node
from planner.catalog.records import Gpu, Model, NodeType

__all__ = ["Gpu", "Model", "NodeType", "UnknownRecord", "gpu", "ids", "model", "node"]
