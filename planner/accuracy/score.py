"""Predict every case of a file and score each figure; summaries by kind and quantity."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from planner.accuracy.read import Case, MeasurementFile, Skip
from planner.accuracy.registry import Missing, Prediction, Predictor, Verdict, predictor

_WORST: Final = 5


@dataclass(frozen=True, slots=True)
class Entry:
    """One figure of one case: predicted and scored, or skipped with a reason."""

    id: str
    kind: str
    trusted: bool
    config: Mapping[str, object]
    quantity: str = ""
    measured: float | str | None = None
    predicted: float | str | None = None
    low: float | str | None = None
    high: float | str | None = None
    error: float | None = None
    """(predicted - measured) / measured."""
    skipped: str = ""

    def as_json(self) -> dict[str, object]:
        """The entry as the JSON output has it."""
        if self.skipped:
            head = {"id": self.id, "quantity": self.quantity} if self.quantity else {"id": self.id}
            return {**head, "skipped": self.skipped}
        return {
            "id": self.id, "quantity": self.quantity, "measured": self.measured,
            "predicted": self.predicted, "low": self.low, "high": self.high, "error": self.error,
        }  # fmt: skip


def _figure(case: Case, kind: str, quantity: str, predicted: Prediction | None) -> Entry:
    measured = case.measured[quantity]
    base = (case.id, kind, case.trusted, case.config, quantity, measured)
    if predicted is None:
        return Entry(*base, skipped=f"{quantity} is not predicted")
    if isinstance(predicted, Missing):
        return Entry(*base, skipped=predicted.reason)
    if isinstance(predicted, Verdict):
        return Entry(*base, predicted.word, predicted.best, predicted.word)
    value = float(measured)
    error = (predicted.best - value) / value if value else None
    best, low, high = (round(n, 6) for n in (predicted.best, predicted.low, predicted.high))
    return Entry(*base, best, low, high, error)


def score_case(case: Case, kind: str, predict: Predictor) -> list[Entry]:
    """Entries of one case, one per measured figure."""
    quantities = [q for q in case.measured if q != "peak_kind"]
    try:
        predicted = predict(case.config)
    except Skip as reason:
        return [Entry(case.id, kind, case.trusted, case.config, skipped=str(reason))]
    if not quantities:
        return [Entry(case.id, kind, case.trusted, case.config, skipped="nothing was measured")]
    return [_figure(case, kind, q, predicted.get(q)) for q in quantities]


def score_file(file: MeasurementFile) -> list[Entry]:
    """Entries of all cases of a file."""
    predict = predictor(file.kind)
    return [entry for case in file.cases for entry in score_case(case, file.kind, predict)]


@dataclass(frozen=True, slots=True)
class Summary:
    """How well one quantity is predicted."""

    cases: int
    median: float
    """Median |error|."""
    p90: float
    """90th percentile of |error|."""
    bias: float
    """Median signed error."""
    sharpness: float
    """Median of upper / best."""
    inside: float
    """Part of the measured values within the interval."""
    worst: tuple[Entry, ...]

    def as_json(self) -> dict[str, object]:
        """The summary as the JSON output has it."""
        return {
            "cases": self.cases, "median": round(self.median, 6), "p90": round(self.p90, 6),
            "bias": round(self.bias, 6), "upper_over_best": round(self.sharpness, 6),
            "inside_interval": round(self.inside, 6),
            "worst": [{"id": e.id, "error": round(e.error or 0.0, 6)} for e in self.worst],
        }  # fmt: skip


def quantile(values: Sequence[float], share: float) -> float:
    """Smallest value that at least `share` of the values do not exceed.

    >>> quantile([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0.9)
    9
    """
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]


def _number(value: float | str | None) -> float:
    return float(value) if isinstance(value, int | float) else math.nan


def summarize(entries: Sequence[Entry]) -> Summary | None:
    """Summary of the numeric figures among entries; None when there is none."""
    scored = [e for e in entries if e.error is not None]
    if not scored:
        return None
    errors = [e.error or 0.0 for e in scored]
    sizes = [abs(x) for x in errors]
    positive = [e for e in scored if _number(e.predicted) > 0]
    ratios = [_number(e.high) / _number(e.predicted) for e in positive]
    inside = [_number(e.low) <= _number(e.measured) <= _number(e.high) for e in scored]
    return Summary(
        cases=len(scored),
        median=median(sizes),
        p90=quantile(sizes, 0.9),
        bias=median(errors),
        sharpness=median(ratios) if ratios else math.nan,
        inside=sum(inside) / len(inside),
        worst=tuple(sorted(scored, key=lambda e: -abs(e.error or 0.0))[:_WORST]),
    )


def verdicts(entries: Iterable[Entry]) -> dict[str, dict[str, int]]:
    """Measured outcome -> predicted outcome -> cases; every failure counts as `fails`.

    >>> verdicts([Entry("a", "k", True, {}, "outcome", "oom", "fits", "fits", "fits")])
    {'fails': {'fits': 1}}
    """
    table: dict[str, dict[str, int]] = {}
    for entry in entries:
        if entry.quantity != "outcome" or entry.skipped:
            continue
        measured = "fits" if entry.measured == "fits" else "fails"
        predicted = "fits" if entry.predicted == "fits" else "fails"
        row = table.setdefault(measured, {})
        row[predicted] = row.get(predicted, 0) + 1
    return table


def coverage(entries: Sequence[Entry]) -> tuple[int, int, dict[str, list[str]]]:
    """Cases with at least one predicted figure, all cases, and ids by reason for the others."""
    ids = {e.id for e in entries}
    covered = {e.id for e in entries if not e.skipped}
    reasons: dict[str, list[str]] = {}
    for entry in entries:
        if (
            entry.skipped
            and entry.id not in covered
            and entry.id not in reasons.get(entry.skipped, ())
        ):
            reasons.setdefault(entry.skipped, []).append(entry.id)
    return len(covered), len(ids), reasons


def group_key(entry: Entry, by: str) -> str:
    """Value of a configuration key; `-` where it is not stated."""
    value = entry.config.get(by)
    return "-" if value in (None, "") else str(value)


def summary(entries: Sequence[Entry], by: str | None = None) -> dict[str, object]:
    """Summary of all entries as the JSON output has it: by kind, then by quantity [and group]."""
    result: dict[str, object] = {}
    for kind in sorted({e.kind for e in entries}):
        mine = [e for e in entries if e.kind == kind]
        block = _block(mine)
        if by is not None:
            groups = sorted({group_key(e, by) for e in mine})
            block["by"] = {g: _block([e for e in mine if group_key(e, by) == g]) for g in groups}
        result[kind] = block
    return result


def _block(entries: Sequence[Entry]) -> dict[str, object]:
    covered, cases, reasons = coverage(entries)
    quantities: dict[str, object] = {}
    for quantity in sorted({e.quantity for e in entries if e.quantity}):
        found = summarize([e for e in entries if e.quantity == quantity])
        if found is not None:
            quantities[quantity] = found.as_json()
    return {
        "cases": cases, "predicted": covered, "quantities": quantities,
        "verdicts": verdicts(entries), "skipped": reasons,
    }  # fmt: skip
