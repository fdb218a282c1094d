"""What `planner catalog list` filters by: ranges such as `24..48` and `10B..100B`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import click

_SUFFIX: Final = {"": 1.0, "K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}
_NUMBER: Final = re.compile(r"^(\d+(?:\.\d+)?)\s*([KMBT]?)(?:\s*(?:GB|G))?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers from `low` to `high`, both included."""

    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Whether a number lies in the range."""
        return self.low <= value <= self.high


def to_range(
    _ctx: click.Context | None, _param: click.Parameter | None, text: str | None
) -> Range | None:
    """Callback of an option: `24..48`, `24..`, `..48` or `80`; K, M, B and T are powers of a thousand.

    >>> to_range(None, None, "10B..100B")
    Range(low=10000000000.0, high=100000000000.0)
    """
    if text is None:
        return None
    low, dots, high = (part.strip() for part in text.partition(".."))
    if not low and not high:
        raise click.BadParameter("a range needs at least one end, such as 24.. or ..48")
    try:
        first = _number(low) if low else 0.0
        last = (_number(high) if high else float("inf")) if dots else first
    except ValueError:
        raise click.BadParameter(
            f"`{text}` is no range; write it like 24..48, 24.., ..48 or 80"
        ) from None
    if first > last:
        raise click.BadParameter(f"`{text}` holds nothing: {first:g} is above {last:g}")
    return Range(first, last)


def _number(text: str) -> float:
    match = _NUMBER.match(text.strip())
    if match is None:
        raise ValueError(text)
    return float(match[1]) * _SUFFIX[match[2].upper()]


@dataclass(frozen=True, slots=True)
class Filters:
    """All filters of `list`; None or empty: not asked for."""

    memory: Range | None = None
    params: Range | None = None
    vendor: str = ""
    architecture: str = ""
    nvlink: bool = False
    provider: str = ""
    gpu: str = ""

    def asked(self) -> list[str]:
        """Names of the options that were given."""
        names = ("memory", "params", "vendor", "architecture", "nvlink", "provider", "gpu")
        return [f"--{name}" for name in names if getattr(self, name)]


def refuse_unknown(option: str, value: str, known: Iterable[str]) -> None:
    """A usage error for a value that no record has, rather than an empty list."""
    values = sorted(set(known))
    if value and value.lower() not in values:
        raise click.UsageError(f"{option}: nothing is called `{value}`; known: {', '.join(values)}")


APPLY: Final = {
    "gpus": {"--memory", "--vendor", "--architecture", "--nvlink"},
    "models": {"--params", "--architecture"},
    "nodes": {"--memory", "--vendor", "--architecture", "--nvlink", "--provider", "--gpu"},
    "offers": {"--memory", "--vendor", "--architecture", "--provider", "--gpu"},
    "engines": set[str](),
}
"""Options that mean something for each kind of record; memory is that of one GPU."""


def refuse_idle(kind: str, filters: Filters) -> None:
    """A usage error for a filter that would be ignored."""
    idle = [name for name in filters.asked() if name not in APPLY[kind]]
    if idle:
        usable = ", ".join(sorted(APPLY[kind])) or "none"
        raise click.UsageError(
            f"{', '.join(idle)} says nothing about {kind}; filters of {kind}: {usable}"
        )
