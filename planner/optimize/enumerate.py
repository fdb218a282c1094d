"""All assignments of a demand whose price lies within a slack of the cheapest: what an optimum can use."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cmp_to_key

from planner.optimize.bound import Assignment, Priced, Pricer
from planner.optimize.covering_table import Charges
from planner.optimize.flat import PRICE_SCALE
from planner.optimize.pricing import Counts, Cover, by_ratio, joined

SLACK_DOUBLINGS = 14
"""From half a per cent of an assignment's price to all that there are."""
STEPS_PER_MIX = 8
"""Branches per wanted mix before the search for mixes is given up."""


def within_slack(pricer: Pricer, priced: Priced, slack: int, cap: int) -> list[Assignment] | None:
    """Every assignment whose scaled price is at most its demand's cheapest plus `slack`.

    With `slack` = scaled incumbent - scaled bound, each plan cheaper than the incumbent uses only these.
    Returns None when there are more than `cap`.
    """
    found: list[Assignment] = []
    for number, demand in enumerate(pricer.link.build.demands):
        prices = priced.pick_prices[number]
        cheapest = priced.cheapest[number][0]
        ceiling = cheapest + slack
        if pricer.may_idle(number):
            found.append(Assignment(number, (), unserved=True))
        if demand.single:
            found += [
                Assignment(number, ((at, 1),))
                for at in pricer.allowed(number)
                if prices[at] <= ceiling
            ]
        else:
            charges = priced.charges[number]
            mixes = _mixes(pricer.active[number], prices, charges, ceiling, cap - len(found))
            if mixes is None:
                return None
            found += [Assignment(number, mix) for mix in mixes]
        if len(found) > cap:
            return None
    return found


def nearest(pricer: Pricer, priced: Priced, number: int, most: int) -> list[Assignment]:
    """About `most` assignments of a demand, those of least price, the cheapest first."""
    demand = pricer.link.build.demands[number]
    idle = [Assignment(number, (), unserved=True)] if pricer.may_idle(number) else []
    prices, cheapest = priced.pick_prices[number], priced.cheapest[number][0]
    if demand.single:
        ranked = sorted(pricer.allowed(number), key=prices.__getitem__)
        return [*(Assignment(number, ((at, 1),)) for at in ranked[:most]), *idle]
    slack = max(PRICE_SCALE, abs(cheapest) // 200)
    found: list[Counts] = []
    for _ in range(SLACK_DOUBLINGS):
        charges = priced.charges[number]
        mixes = _mixes(pricer.active[number], prices, charges, cheapest + slack, 2 * most)
        if mixes is None:
            break
        found = mixes
        if len(found) >= most:
            break
        slack *= 2
    return [priced.cheapest[number][1], *(Assignment(number, mix) for mix in found), *idle]


def _mixes(
    alternatives: Sequence[Cover],
    prices: Sequence[int],
    charges: Charges,
    ceiling: int,
    cap: int,
) -> list[Counts] | None:
    """Mixes that cover, without a replica that could be dropped, priced at most `ceiling`."""
    found: dict[Counts, None] = {}
    for cover in alternatives:
        items = sorted(
            ((at, units, most, prices[at]) for at, units, most in cover.items),
            key=cmp_to_key(by_ratio),
        )
        base, rest = cover.base(prices, charges)
        items = [item for item in items if item[3] <= ceiling - base]
        if not _collect(items, cover, rest, ceiling - base, found, cap):
            return None
    return list(found)


def _collect(
    items: list[tuple[int, int, int, int]],
    cover: Cover,
    charges: Charges,
    ceiling: int,
    found: dict[Counts, None],
    cap: int,
) -> bool:
    """Depth-first over counts; False once more than `cap` mixes are found or too many branches opened."""
    path: list[tuple[int, int]] = []
    smallest = [0] * (len(items) + 1)
    for at in range(len(items) - 1, -1, -1):
        price = items[at][3]
        smallest[at] = price if at == len(items) - 1 else min(smallest[at + 1], price)
    steps = 0
    steps_most = STEPS_PER_MIX * (cap + 100)

    def extend(at: int, need: int, fewest: int, cost: int) -> bool:
        nonlocal steps
        steps += 1
        if need <= 0 and fewest <= 0:
            if cost <= ceiling and all(need + items[i][1] > 0 or fewest + 1 > 0 for i, _ in path):
                mix = tuple(sorted((items[i][0], n) for i, n in path))
                found[joined(cover.forced, mix)] = None
            return len(found) <= cap
        if at == len(items) or steps > steps_most:
            return steps <= steps_most
        pick, units, most, price = items[at]
        least = max(
            need * price // units if need > 0 else 0,
            fewest * smallest[at] if fewest > 0 else 0,
        )
        if cost + least > ceiling:
            return True
        useful = min(most, max(-(-need // units) if need > 0 else 0, fewest))
        supply, charge = charges.get(pick, (-1, 0))
        fresh = charge and all(charges.get(items[i][0], (-1, 0))[0] != supply for i, _ in path)
        for count in range(useful, -1, -1):
            total = cost + count * price + (charge if fresh and count else 0)
            if count:
                path.append((at, count))
            complete = extend(at + 1, need - count * units, fewest - count, total)
            if count:
                path.pop()
            if not complete:
                return False
        return True

    return extend(0, cover.need, cover.fewest, 0)
