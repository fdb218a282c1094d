"""A user's own measured throughput, which replaces the model for the workload it was measured for.

The table is a CSV with a header: `gpu,gpus,prompt,output` and any of `requests_per_s`, `output_tokens_per_s`,
`ttft_ms`, `tpot_ms`, `concurrency`; one measured operating point a row. Between request sizes it is interpolated,
never beyond the GPUs it names.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_NEAR: Final = math.log(1.25)
"""Distance in request size up to which a measured point is the point itself."""
_FAR: Final = math.log(4.0)
"""Distance beyond which nothing is said."""
_SPREAD: Final = 0.1
"""Half width of the 80 % interval of a repeated measurement, as a logarithm; grows with distance."""


class BadTable(ValueError):  # noqa: N818 - reads as what it is at the call site
    """A table that can't be read; the message names line and column."""


@dataclass(frozen=True, slots=True)
class Point:
    """One measured operating point of one replica."""

    gpu: str
    gpus: int
    prompt: float
    output: float
    requests_per_s: float
    ttft_s: float | None = None
    tpot_s: float | None = None
    concurrency: float | None = None


@dataclass(frozen=True, slots=True)
class MeasuredSpeed:
    """Throughput of one replica from measured points."""

    requests_per_s: float
    low: float
    high: float
    ttft_s: float | None
    tpot_s: float | None
    concurrency: float | None
    extrapolated: bool
    """True where the request size was interpolated."""
    tag: str = "measured"


def _number(row: Mapping[str, str], key: str, line: int) -> float | None:
    text = (row.get(key) or "").strip()
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        raise BadTable(f"line {line}: {key} is `{text}`, not a number") from None
    if not math.isfinite(value) or value <= 0:
        raise BadTable(f"line {line}: {key} is {text}; it must be above 0")
    return value


def _needed(row: Mapping[str, str], key: str, line: int) -> float:
    value = _number(row, key, line)
    if value is None:
        raise BadTable(f"line {line}: {key} is missing")
    return value


def _point(row: Mapping[str, str], line: int) -> Point:
    prompt, output = _needed(row, "prompt", line), _needed(row, "output", line)
    rate, tokens = _number(row, "requests_per_s", line), _number(row, "output_tokens_per_s", line)
    if rate is None and tokens is None:
        raise BadTable(f"line {line}: requests_per_s or output_tokens_per_s is needed")
    ttft, tpot = _number(row, "ttft_ms", line), _number(row, "tpot_ms", line)
    return Point(
        gpu=(row.get("gpu") or "").strip(),
        gpus=int(_number(row, "gpus", line) or 1),
        prompt=prompt,
        output=output,
        requests_per_s=rate if rate is not None else (tokens or 0.0) / output,
        ttft_s=None if ttft is None else ttft / 1e3,
        tpot_s=None if tpot is None else tpot / 1e3,
        concurrency=_number(row, "concurrency", line),
    )


def read_points(lines: Iterable[str]) -> tuple[Point, ...]:
    """Points of a CSV table.

    >>> read_points(["gpu,gpus,prompt,output,output_tokens_per_s", "h100-sxm5-80gb,2,2048,128,1280"])[0].requests_per_s
    10.0
    """
    reader = csv.DictReader(lines)
    missing = {"gpu", "prompt", "output"} - set(reader.fieldnames or ())
    if missing:
        raise BadTable(f"the table lacks the column {', '.join(sorted(missing))}")
    return tuple(_point(row, line) for line, row in enumerate(reader, start=2))


def read_table(path: Path) -> tuple[Point, ...]:
    """Points of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return read_points(file)


def _distance(point: Point, prompt: float, output: float) -> float:
    return math.hypot(math.log(point.prompt / prompt), math.log(point.output / output))


def _meets(point: Point, ttft_s: float | None, tpot_s: float | None) -> bool:
    late = ttft_s is not None and point.ttft_s is not None and point.ttft_s > ttft_s
    slow = tpot_s is not None and point.tpot_s is not None and point.tpot_s > tpot_s
    return not late and not slow


def measured_speed(
    points: Iterable[Point],
    gpu: str,
    gpus: int,
    prompt: float,
    output: float,
    *,
    ttft_s: float | None = None,
    tpot_s: float | None = None,
) -> MeasuredSpeed | None:
    """Throughput of `gpus` GPUs at a request size; None where the table doesn't reach it.

    Among points of the nearest size the fastest that meets the targets counts. Otherwise the rates of sizes nearby,
    each the best of its size, are averaged in logarithms with weights 1/distance^2.
    """
    own = [p for p in points if p.gpu == gpu and p.gpus == gpus and _meets(p, ttft_s, tpot_s)]
    best: dict[tuple[float, float], Point] = {}
    for point in own:
        size = (point.prompt, point.output)
        if size not in best or point.requests_per_s > best[size].requests_per_s:
            best[size] = point
    near = sorted(best.values(), key=lambda p: _distance(p, prompt, output))
    near = [p for p in near if _distance(p, prompt, output) <= _FAR]
    if not near:
        return None
    first = near[0]
    distance = _distance(first, prompt, output)
    if distance <= _NEAR:
        rate = first.requests_per_s
    else:
        weights = [1.0 / _distance(p, prompt, output) ** 2 for p in near]
        logs = [math.log(p.requests_per_s) for p in near]
        rate = math.exp(sum(w * v for w, v in zip(weights, logs, strict=True)) / sum(weights))
    factor = math.exp(_SPREAD + 0.5 * max(distance - _NEAR, 0.0))
    return MeasuredSpeed(
        requests_per_s=rate,
        low=rate / factor,
        high=rate * factor,
        ttft_s=first.ttft_s,
        tpot_s=first.tpot_s,
        concurrency=first.concurrency,
        extrapolated=distance > _NEAR,
    )
