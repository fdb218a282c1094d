"""Rows of a vectorized ledger as accounts in GiB, each worked out when it is first looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from planner.memory.ledger import Ledger, Number
from planner.options.records import Account
from planner.units import GIB

Floats = NDArray[np.float64]


def at(value: Number, index: int) -> float:
    """Element `index` of an array, or the number itself.

    >>> at(3, 7), at(np.array([1, 2]), 1)
    (3.0, 2.0)
    """
    array = np.asarray(value, dtype=np.float64)
    return float(array) if array.ndim == 0 else float(array[index])


def flag_at(value: object, index: int) -> bool:
    """Element `index` of an array of flags, or the flag itself.

    >>> flag_at(True, 7), flag_at(np.array([False, True]), 0)
    (True, False)
    """
    array = np.asarray(value)
    return bool(array) if array.ndim == 0 else bool(array[index])


class AccountRows:
    """A ledger over layouts; its sums are made once for all of them."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    @cached_property
    def best(self) -> Number:
        """Bytes of each layout."""
        return self.ledger.best

    @cached_property
    def upper(self) -> Number:
        """Upper estimate of the bytes."""
        return self.ledger.upper

    def account(self, index: int) -> Account:
        """The account of layout `index`, largest component first."""
        return _RowAccount.of(self, index)

    def largest(self, rows: Sequence[int]) -> list[str]:
        """Name of the largest component of these layouts."""
        if not rows:
            return []
        parts = [np.asarray(c.best, np.float64) for c in self.ledger.components]
        sizes = np.stack([p[list(rows)] if p.ndim else np.full(len(rows), p) for p in parts])
        names = [c.name for c in self.ledger.components]
        return [names[i] for i in np.argmax(sizes, axis=0).tolist()]

    def value(self, name: str, index: int) -> object:
        """One field of the account of layout `index`."""
        ledger = self.ledger
        if name == "components":
            rows = [
                (c.name, at(c.best, index) / GIB, at(c.upper, index) / GIB, c.formula, c.tag)
                for c in ledger.components
            ]
            rows.sort(key=lambda r: -r[1])
            return tuple(rows)
        if name == "usable_formula":
            return ledger.usable_formula
        if name == "extrapolated":
            return flag_at(ledger.extrapolated, index)
        if name == "total_gib":
            return at(self.best, index) / GIB
        if name == "upper_gib":
            return at(self.upper, index) / GIB
        figures = {
            "usable_gib": ledger.usable,
            "usable_low_gib": ledger.usable_low,
            "host_gib": ledger.host_bytes,
            "nvme_gib": ledger.nvme_bytes,
        }
        return at(figures[name], index) / GIB


_FIELDS = frozenset(field.name for field in fields(Account))


class _RowAccount(Account):
    """One row; a field is worked out when it is first asked for."""

    __slots__ = ("_index", "_rows")
    _index: int
    _rows: AccountRows

    @classmethod
    def of(cls, rows: AccountRows, index: int) -> _RowAccount:
        """The account of one row."""
        row = object.__new__(cls)
        object.__setattr__(row, "_rows", rows)
        object.__setattr__(row, "_index", index)
        return row

    def __getattr__(self, name: str) -> object:
        """Reached only while the field is empty."""
        if name not in _FIELDS:
            raise AttributeError(name)
        value = self._rows.value(name, self._index)
        object.__setattr__(self, name, value)
        return value

    def __eq__(self, other: object) -> bool:
        """Equal to any account with the same figures."""
        if not isinstance(other, Account):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in _FIELDS)

    def __hash__(self) -> int:
        """Of the figures, as other accounts have it."""
        return hash(tuple(getattr(self, field.name) for field in fields(Account)))


class MadeAccount(Account):
    """An account that a function gives when it is first looked at."""

    __slots__ = ("_make",)
    _make: Callable[[], Account]

    @classmethod
    def of(cls, usable_gib: float, make: Callable[[], Account]) -> MadeAccount:
        """An account yet to be made, of which only the usable memory is known."""
        row = object.__new__(cls)
        object.__setattr__(row, "usable_gib", usable_gib)
        object.__setattr__(row, "_make", make)
        return row

    def __getattr__(self, name: str) -> object:
        """Reached only while the fields are empty."""
        if name not in _FIELDS:
            raise AttributeError(name)
        made = self._make()
        for field in _FIELDS:
            object.__setattr__(self, field, getattr(made, field))
        return getattr(made, name)


def need_have(account: Account, *, careful: bool) -> tuple[float, float]:
    """What is needed and what there is, in GiB per GPU: upper against low, or best against best."""
    if careful:
        return account.upper_gib, account.usable_low_gib
    return account.total_gib, account.usable_gib


def bottleneck(account: Account) -> str:
    """The largest component."""
    return account.components[0][0] if account.components else ""
