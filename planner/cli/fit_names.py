"""Names that flags of `planner fit` take: a wrong one is told with those that are like it."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from planner.catalog.lookup import UnknownRecord

if TYPE_CHECKING:
    from planner.cli.fit_asks import Flags


def refuse_unknown_names(flags: Flags) -> None:
    """A usage error for the first format, engine, framework or optimizer that does not exist."""
    from planner.catalog.engines import serving_engine, serving_engine_ids
    from planner.catalog.frameworks import framework_ids, training_framework

    _refuse_formats(flags)
    engine, framework = flags.text("engine"), flags.text("framework")
    try:
        if engine:
            serving_engine(engine)
    except UnknownRecord:
        raise _unknown("engine", engine or "", serving_engine_ids(), "--engine") from None
    try:
        if framework:
            training_framework(framework)
    except UnknownRecord:
        raise _unknown("framework", framework or "", framework_ids(), "--framework") from None


def _refuse_formats(flags: Flags) -> None:
    from typing import get_args

    from planner.catalog.formats import UnknownFormat, weight_format
    from planner.memory.optimizer_states import OPTIMIZERS, UnknownOptimizer, optimizer
    from planner.scenario.schema_base import Format, KvFormat

    for name in flags.several("precision"):
        try:
            weight_format(name)
        except UnknownFormat:
            raise _unknown("weight format", name, get_args(Format), "--precision") from None
    kv = flags.text("kv") or "auto"
    known = ("auto", *get_args(KvFormat))
    if kv not in known:
        raise _unknown("KV cache format", kv, known, "--kv")
    name = flags.text("optimizer") or "adamw"
    try:
        optimizer(name, "foreach")
    except UnknownOptimizer:
        raise _unknown("optimizer", name, OPTIMIZERS, "--optimizer") from None


def _unknown(what: str, name: str, known: Sequence[str], flag: str) -> click.BadParameter:
    near = difflib.get_close_matches(name.lower(), known, 3, 0.5)
    similar = f"similar: {', '.join(near)}; " if near else ""
    text = f"no {what} is called `{name}`; {similar}all: {', '.join(known)}"
    return click.BadParameter(text, param_hint=flag)
