"""Covering problems too wide for branching, by a table over the replicas and units still needed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    BoolArray = NDArray[np.bool_]
    IntArray = NDArray[np.int64]

Charges = dict[int, tuple[int, int]]
"""Pick number -> (supply, price of using that supply at all); a supply is charged once."""

Item = tuple[int, int, int, int]
"""(pick number, units, most, price)."""

NEVER = 2**61
"""Above any price: what cannot be covered."""


class Table:
    """Least price by (replicas still needed, units still needed); exact in 64 bits.

    Items enter supply by supply where the supply is charged for, all others together. Items whose stock may
    bind enter once per binary digit of it; the others may repeat without end.
    """

    def __init__(self, items: list[Item], charges: Charges, need: int, fewest: int) -> None:
        import numpy as np

        self.items, self.need, self.fewest = items, need, fewest
        self.least = np.full((fewest + 1, need + 1), NEVER, dtype=np.int64)
        self.least[0, 0] = 0
        groups: dict[tuple[int, int], list[int]] = {}
        for number, item in enumerate(items):
            groups.setdefault(charges.get(item[0], (-1, 0)), []).append(number)
        self.steps: list[_Step] = []
        for (_, charge), members in sorted(groups.items()):
            self._add_group(charge, members)

    def _add_group(self, charge: int, members: list[int]) -> None:
        import numpy as np

        before = self.least
        self.least = before + charge
        step = _Step()
        free = [i for i in members if self._endless(i)]
        for i in members:
            most, size = (0 if i in free else self.items[i][2]), 1
            while most > 0:
                step.bundles.append((i, min(size, most)))
                step.taken.append(self._add_bundle(i, min(size, most)))
                most -= size
                size *= 2
        if free:
            step.choice = self._repeat(free)
        step.entered = self.least < before
        self.least = np.where(step.entered, self.least, before)
        self.steps.append(step)

    def _endless(self, number: int) -> bool:
        """Whether the stock of an item suffices for it alone, so that it never binds."""
        _, units, most, _ = self.items[number]
        return units * most >= self.need and most >= self.fewest

    def _add_bundle(self, number: int, count: int) -> BoolArray:
        import numpy as np

        _, units, _, price = self.items[number]
        rows = np.maximum(0, np.arange(self.fewest + 1) - count)
        columns = np.maximum(0, np.arange(self.need + 1) - count * units)
        value = self.least[np.ix_(rows, columns)] + count * price
        better: BoolArray = value < self.least
        self.least = np.where(better, value, self.least)
        return better

    def _repeat(self, free: list[int]) -> IntArray:
        import numpy as np

        choice = np.full((self.fewest + 1, self.need + 1), -1, dtype=np.int64)
        step = min(self.items[i][1] for i in free)
        for count in range(self.fewest + 1):
            before = self.least[max(0, count - 1)]
            for first in range(0 if count else 1, self.need + 1, step):
                span = np.arange(first, min(first + step, self.need + 1))
                best = self.least[count, span]
                for number in free:
                    _, units, _, price = self.items[number]
                    value = before[np.maximum(0, span - units)] + price
                    better = value < best
                    best[better] = value[better]
                    choice[count, span[better]] = number
                self.least[count, span] = best
        return choice

    def solve(self) -> tuple[int, list[tuple[int, int]]]:
        """The least price and (item, count) that gives it."""
        counts: dict[int, int] = {}
        at, left = self.fewest, self.need

        def take(number: int, count: int) -> None:
            nonlocal at, left
            counts[number] = counts.get(number, 0) + count
            at, left = max(0, at - count), max(0, left - count * self.items[number][1])

        for step in reversed(self.steps):
            if step.entered is None or not step.entered[at, left]:
                continue
            while step.choice is not None and (number := int(step.choice[at, left])) >= 0:
                take(number, 1)
            for (number, count), taken in zip(
                reversed(step.bundles), reversed(step.taken), strict=True
            ):
                if taken[at, left]:
                    take(number, count)
        return int(self.least[self.fewest, self.need]), sorted(counts.items())


@dataclass(slots=True)
class _Step:
    """How one group of items changed the table, for the way back."""

    bundles: list[tuple[int, int]] = field(default_factory=list)
    taken: list[BoolArray] = field(default_factory=list)
    choice: IntArray | None = None
    entered: BoolArray | None = None
