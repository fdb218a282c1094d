"""Orders next to others: a node more, a node less, or the same node in another period."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from planner.optimize.cases import Counts
from planner.options.deals import Deal
from planner.options.problem import Problem


def neighbours(
    problem: Problem, deals: Sequence[Deal], counts: Counts, tested: Sequence[Counts]
) -> Iterator[Counts]:
    """Neighbours that offers and budgets allow: moves within a pool first, then lines that tested orders use."""
    lines = [n for n, d in enumerate(deals) if d.action != "contract" and any(c[n] for c in tested)]
    pools = {deals[n].pool for n in lines}
    near = [n for n, d in enumerate(deals) if d.pool in pools and d.action != "contract"]
    steps = [
        {n: -1, m: 1}
        for n in near
        for m in near
        if n != m and counts[n] and deals[n].pool == deals[m].pool
    ]
    for step in [*steps, *({n: by} for n in lines for by in (1, -1))]:
        moved = tuple(n + step.get(at, 0) for at, n in enumerate(counts))
        if allowed(problem, moved):
            yield moved


def allowed(problem: Problem, counts: Counts) -> bool:
    """Whether every offer, its order sizes and the budgets for orders allow these orders.

    >>> from planner.options.problem import Acquisition
    >>> problem = Problem((), (), (), 1, (Acquisition("buy", 3, 100, (), fewest=2),))
    >>> [allowed(problem, (n,)) for n in range(5)]
    [True, False, True, True, False]
    """
    groups: Counter[int] = Counter()
    for order, n in zip(problem.acquisitions, counts, strict=True):
        if not order.least <= n <= order.most or 0 < n < order.fewest:
            return False
        if order.group >= 0 and n:
            groups[order.group] += 1
    if max(groups.values(), default=0) > 1:
        return False
    return all(
        sum(each * counts[at] for at, each in limit.acquisitions) <= limit.bound
        for limit in problem.limits
        if limit.kind == "acquired"
    )
