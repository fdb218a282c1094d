"""Dotted paths into a located scenario: `workloads[2].demand.requests`, `workloads.chat.context`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from planner.diagnostics import Span
from planner.scenario.located import Located

Step = str | int
NAME_KEYS: Final = ("name", "pool")
"""Keys that name an item of a list, so that `workloads.chat` finds it."""
_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")


def parse_path(text: str) -> list[Step]:
    """Steps of a dotted path; raises ValueError where it is malformed.

    >>> parse_path("workloads[2].demand")
    ['workloads', 2, 'demand']
    """
    steps: list[Step] = []
    at = 0
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None:
            raise ValueError(f"`{text}` is not a path")
        steps.append(match[1] if match[1] is not None else int(match[2]))
        at = match.end()
    if not steps:
        raise ValueError("the path is empty")
    return steps


def path_text(steps: Sequence[Step]) -> str:
    """The dotted text of some steps.

    >>> path_text(["workloads", 2, "demand"])
    'workloads[2].demand'
    """
    text = ""
    for step in steps:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{step}" if text else step
    return text


def child(node: Located, step: Step) -> Located | None:
    """The value one step below, None where there is none; a name finds the list item of that name."""
    if node.mapping is not None:
        return node.mapping.get(str(step))
    if node.items is None:
        return None
    index = item_index(node, step)
    return node.items[index] if index is not None else None


def item_index(node: Located, step: Step) -> int | None:
    """Index of a list item by number or by its name."""
    items = node.items or []
    if isinstance(step, int) or step.isdigit():
        index = int(step)
        return index if index < len(items) else None
    for index, item in enumerate(items):
        for key in NAME_KEYS:
            named = (item.mapping or {}).get(key)
            if named is not None and named.scalar == step:
                return index
    return None


def nearest(root: Located, steps: Sequence[Step]) -> tuple[Located, list[Step]]:
    """The deepest value on the way that the file holds, and the steps that led there.

    A step the file does not have is passed over: validation reports list indices for values written without a list.
    """
    node, taken = root, []
    for step in steps:
        below = child(node, step)
        if below is not None:
            node = below
            taken.append(step)
    return node, taken


def span_of(root: Located, steps: Sequence[Step]) -> Span:
    """Place of a value, or of the nearest value above it that the file holds.

    An index is passed over where a single value was written instead of a list.
    """
    node = root
    for step in steps:
        below = child(node, step)
        if below is not None:
            node = below
        elif not isinstance(step, int) or node.items is not None:
            break
    return node.span


def key_span(root: Located, steps: Sequence[Step]) -> Span:
    """Place of the last key of a path, or of what the path leads to where it is no key."""
    parent, taken = nearest(root, steps[:-1])
    last = str(steps[-1])
    if len(taken) <= len(steps) - 1 and last in parent.keys:
        return parent.keys[last]
    return span_of(root, steps)
