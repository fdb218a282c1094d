"""One row of a vectorized ledger as an account in GiB."""

from __future__ import annotations

import numpy as np

from planner.memory.ledger import Ledger, Number
from planner.options.records import Account
from planner.units import GIB


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


def account_at(ledger: Ledger, index: int) -> Account:
    """The account of layout `index`, largest component first."""
    rows = [
        (c.name, at(c.best, index) / GIB, at(c.upper, index) / GIB, c.formula, c.tag)
        for c in ledger.components
    ]
    rows.sort(key=lambda r: -r[1])
    return Account(
        components=tuple(rows),
        total_gib=at(ledger.best, index) / GIB,
        upper_gib=at(ledger.upper, index) / GIB,
        usable_gib=at(ledger.usable, index) / GIB,
        usable_low_gib=at(ledger.usable_low, index) / GIB,
        usable_formula=ledger.usable_formula,
        host_gib=at(ledger.host_bytes, index) / GIB,
        nvme_gib=at(ledger.nvme_bytes, index) / GIB,
        extrapolated=flag_at(ledger.extrapolated, index),
    )


def need_have(account: Account, *, careful: bool) -> tuple[float, float]:
    """What is needed and what there is, in GiB per GPU: upper against low, or best against best."""
    if careful:
        return account.upper_gib, account.usable_low_gib
    return account.total_gib, account.usable_gib


def bottleneck(account: Account) -> str:
    """The largest component."""
    return account.components[0][0] if account.components else ""
