"""Records of single rows of a vectorized pass, of which only what plans count with is worked out at once.

A scenario has hundreds of them for each that anyone reads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

from planner.layout import Layout
from planner.options.records import Account, Reason, Rejection, Timing


class RowRejection(Rejection):
    """A row that does not fit; layout, words and account are worked out when they are first looked at."""

    __slots__ = ("_make", "_weights")
    _make: Callable[[], tuple[Layout, str, Account | None]]
    _weights: str

    @classmethod
    def of(
        cls,
        reason: Reason,
        numbers: tuple[float, float, str, str],
        weights: str,
        make: Callable[[], tuple[Layout, str, Account | None]],
        names: tuple[str, str] = ("", ""),
    ) -> RowRejection:
        """A row with its numbers: need, have, unit and bottleneck."""
        row = object.__new__(cls)
        put = object.__setattr__
        need, have, unit, bottleneck = numbers
        for name, value in (
            ("workload", names[0]), ("pool", names[1]), ("reason", reason), ("need", need),
            ("have", have), ("unit", unit), ("bottleneck", bottleneck), ("_weights", weights),
            ("_make", make),
        ):  # fmt: skip
            put(row, name, value)
        return row

    def __getattr__(self, name: str) -> object:
        """Reached only while the field is empty."""
        if name == "_weights":
            return self.layout.weights
        if name not in ("layout", "message", "account"):
            raise AttributeError(name)
        layout, message, account = self._make()
        object.__setattr__(self, "layout", layout)
        object.__setattr__(self, "message", message)
        object.__setattr__(self, "account", account)
        return getattr(self, name)

    def __reduce__(self) -> tuple[Callable[..., RowRejection], tuple[object, ...]]:
        """Pickled as it was made: what is worked out when looked at stays to be worked out."""
        numbers = (self.need, self.have, self.unit, self.bottleneck)
        names = (self.workload, self.pool)
        return _row_rejection, (self.reason, numbers, self._weights, self._make, names)

    def dedupe_key(self) -> tuple[str, str, str, str, str]:
        """Known without the layout."""
        return (self.workload, self.pool, self._weights, self.reason, self.bottleneck)

    def named(self, workload: str, pool: str) -> Rejection:
        """The same row under other names."""
        assert self.need is not None
        assert self.have is not None
        numbers = (self.need, self.have, self.unit, self.bottleneck)
        return RowRejection.of(self.reason, numbers, self._weights, self._make, (workload, pool))

    def on(self, change: Callable[[Layout], Layout]) -> Rejection:
        """The same row with another layout of the same weights."""
        assert self.need is not None
        assert self.have is not None
        numbers = (self.need, self.have, self.unit, self.bottleneck)

        def make() -> tuple[Layout, str, Account | None]:
            layout, message, account = self._make()
            return change(layout), message, account

        return RowRejection.of(
            self.reason, numbers, self._weights, make, (self.workload, self.pool)
        )


def _row_rejection(
    reason: Reason,
    numbers: tuple[float, float, str, str],
    weights: str,
    make: Callable[[], tuple[Layout, str, Account | None]],
    names: tuple[str, str],
) -> RowRejection:
    return RowRejection.of(reason, numbers, weights, make, names)


_TIMES = frozenset(one.name for one in fields(Timing))


class RowTiming(Timing):
    """Speed of a row: what plans count on is there, the rest is worked out when looked at."""

    __slots__ = ("_make",)
    _make: Callable[[], Timing]

    @classmethod
    def of(cls, rate_low: float, hours: float | None, make: Callable[[], Timing]) -> RowTiming:
        """A row of which only the low rate and the hours of a job are known yet."""
        row = object.__new__(cls)
        object.__setattr__(row, "rate_low", rate_low)
        object.__setattr__(row, "hours", hours)
        object.__setattr__(row, "_make", make)
        return row

    def __getattr__(self, name: str) -> object:
        """Reached only while the field is empty."""
        if name not in _TIMES:
            raise AttributeError(name)
        made = self._make()
        for one in _TIMES:
            object.__setattr__(self, one, getattr(made, one))
        return getattr(made, name)
