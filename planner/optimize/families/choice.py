"""Each copy of a single-pick demand takes exactly one pick, or stays unserved where that is allowed."""

from __future__ import annotations

from planner.optimize.build import Build
from planner.optimize.linear import Row, row


def choice_rows(build: Build) -> list[Row]:
    """Sum of picks + unserved = copies, for jobs and services whose replicas are all alike."""
    rows = []
    for demand, columns, unserved in zip(build.demands, build.picks, build.unserved, strict=True):
        if not demand.single:
            continue
        terms = [(column, 1) for column in columns]
        if unserved is not None:
            terms.append((unserved, 1))
        copies = len(demand.copies)
        rows.append(row(f"choice[{demand.label}]", "choice", terms, low=copies, high=copies))
    return rows
