"""Docstrings of fields, read from the source when they are asked for: importing the schema stays fast."""

from __future__ import annotations

import ast
import inspect
import itertools
from functools import cache

from pydantic import BaseModel


@cache
def _documented(module: str) -> dict[str, dict[str, str]]:
    """Class -> field -> the text in the line after it, for a module."""
    import importlib

    tree = ast.parse(inspect.getsource(importlib.import_module(module)))
    return {
        node.name: _fields(node.body) for node in ast.walk(tree) if isinstance(node, ast.ClassDef)
    }


def _fields(body: list[ast.stmt]) -> dict[str, str]:
    found = {}
    for field, text in itertools.pairwise(body):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
            and isinstance(text.value.value, str)
        ):
            found[field.target.id] = inspect.cleandoc(text.value.value)
    return found


def field_doc(part: type[BaseModel], name: str) -> str:
    """What a field means: the text after it in its class, or in the class it is inherited from.

    >>> from planner.scenario.schema_supply import Pool
    >>> field_doc(Pool, "pool")
    'Name of the pool.'
    """
    for cls in part.__mro__:
        text = _documented(cls.__module__).get(cls.__name__, {}).get(name)
        if text is not None:
            return text
        if cls is BaseModel:
            break
    return ""
