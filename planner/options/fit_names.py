"""Names that a question about one model uses: a wrong one is told with those that are like it."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import get_args

from planner.catalog.engines import serving_engine, serving_engine_ids
from planner.catalog.formats import UnknownFormat, weight_format
from planner.catalog.frameworks import framework_ids, training_framework
from planner.catalog.lookup import UnknownRecord
from planner.memory.optimizer_states import OPTIMIZERS, UnknownOptimizer, optimizer
from planner.options.fit_wish import FitError, FitWish
from planner.scenario.schema_base import Format, KvFormat


def refuse_unknown_names(wish: FitWish) -> None:
    """A FitError for the first format, engine, framework or optimizer that does not exist."""
    _refuse_formats(wish)
    engine, framework = wish.engine, wish.framework
    try:
        if engine:
            serving_engine(engine)
    except UnknownRecord:
        raise _unknown("engine", engine or "", serving_engine_ids(), "engine") from None
    try:
        if framework:
            training_framework(framework)
    except UnknownRecord:
        raise _unknown("framework", framework or "", framework_ids(), "framework") from None


def _refuse_formats(wish: FitWish) -> None:
    for name in wish.precision:
        try:
            weight_format(name)
        except UnknownFormat:
            raise _unknown("weight format", name, get_args(Format), "precision") from None
    known = ("auto", *get_args(KvFormat))
    if wish.kv not in known:
        raise _unknown("KV cache format", wish.kv, known, "kv")
    name = wish.optimizer or "adamw"
    try:
        optimizer(name, "foreach")
    except UnknownOptimizer:
        raise _unknown("optimizer", name, OPTIMIZERS, "optimizer") from None


def _unknown(what: str, name: str, known: Sequence[str], parameter: str) -> FitError:
    near = difflib.get_close_matches(name.lower(), known, 3, 0.5)
    similar = f"similar: {', '.join(near)}; " if near else ""
    text = f"no {what} is called `{name}`; {similar}all: {', '.join(known)}"
    return FitError(parameter, text)
