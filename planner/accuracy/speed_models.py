"""The model of a measured row: from the catalog, from the benchmark architectures, or from its size.

Speed files name models that the catalog lacks; they keep their plain name and may state their parameters.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import cache
from typing import Final

import yaml

from planner.catalog.lookup import UnknownRecord
from planner.catalog.lookup import model as catalog_model
from planner.catalog.paths import data_dir
from planner.catalog.records import Model, Moe
from planner.catalog.yaml_loader import Loader

_ACTIVE = re.compile(r"-A(\d+(?:\.\d+)?)B\b", re.IGNORECASE)
_TOTAL = re.compile(r"(\d+(?:\.\d+)?)\s*([bBmM])\b")
_EXPERTS: Final = 128
_VOCABULARY: Final = 50304
_CONTEXT: Final = 1_048_576


@cache
def _architectures() -> dict[str, dict[str, object]]:
    path = data_dir("catalogs") / "speed" / "architectures.yaml"
    records: dict[str, dict[str, object]] = {}
    for record in yaml.load(path.read_text("utf-8"), Loader):
        for name in (record["name"], *record.get("aliases", ())):
            records[str(name).lower()] = record
    return records


def _from_record(record: Mapping[str, object]) -> Model:
    values = {k: v for k, v in record.items() if k not in ("name", "aliases", "source", "like")}
    heads, layers = int(str(values["num_attention_heads"])), int(str(values["num_layers"]))
    values.setdefault("num_key_value_heads", heads)
    values.setdefault("head_dim", int(str(values["hidden_size"])) // heads)
    pattern = str(values.get("layer_pattern", ""))
    if pattern:
        values["layer_pattern"] = (pattern * layers)[:layers]
    return Model.model_validate(
        {
            "id": str(record["name"]),
            "sources": (str(record["source"]),),
            "max_position_embeddings": _CONTEXT,
            **values,
        }
    )


def stated_size(name: str) -> float | None:
    """Parameters that a name states: `Foo-13b` has 13e9.

    >>> stated_size("Foo-13b")
    13000000000.0
    """
    found = _TOTAL.search(_ACTIVE.sub("", name))
    if found is None:
        return None
    return float(found[1]) * (1e9 if found[2].lower() == "b" else 1e6)


def model_of_size(name: str, params: float) -> Model:
    """A decoder of usual proportions with about `params` parameters; experts if the name says `-A17B`.

    Width over depth follows GPT-3's table 2.1: 64 at 0.1 B, 128 from 6.7 B on; 12 layers x hidden^2 per layer.
    """
    active = _ACTIVE.search(name)
    body = float(active[1]) * 1e9 if active else params
    aspect = min(max(64.0 + 16.0 * math.log2(max(body, 1e8) / 1e8), 64.0), 128.0)
    hidden = max(round((body * aspect / 12.0) ** (1.0 / 3.0) / 128.0), 2) * 128
    inner = max(body - _VOCABULARY * hidden, 0.3 * body)
    layers = max(round(inner / (12.0 * hidden * hidden)), 2)
    moe = None
    if active:
        per_layer = (params - body / 2.0) / layers / (3.0 * hidden)
        width = max(round(per_layer / _EXPERTS / 64.0), 1) * 64
        used = max(round(body / 2.0 / layers / (3.0 * hidden * width)), 1)
        moe = Moe(num_experts=_EXPERTS, experts_per_token=used, moe_intermediate_size=width)
    return Model(
        id=name,
        sources=("proportions of GPT-3, arXiv 2005.14165 table 2.1",),
        confidence="low",
        hidden_size=hidden,
        intermediate_size=round(hidden * 8 / 3),
        num_layers=layers,
        num_attention_heads=hidden // 128,
        num_key_value_heads=hidden // 128,
        head_dim=128,
        vocab_size=_VOCABULARY,
        tie_word_embeddings=True,
        max_position_embeddings=_CONTEXT,
        moe=moe,
    )


@cache
def resolve_model(name: str, params: float | None = None) -> tuple[Model, bool] | None:
    """The model of a row, and whether its architecture is known rather than guessed from its size."""
    try:
        return catalog_model(name), True
    except UnknownRecord:
        pass
    record = _architectures().get(name.lower())
    if record is not None:
        like = record.get("like")
        return (catalog_model(str(like)) if like else _from_record(record)), True
    try:
        return catalog_model(name.lower()), True
    except UnknownRecord:
        pass
    size = params or stated_size(name)
    return None if not size else (model_of_size(name, size), False)
