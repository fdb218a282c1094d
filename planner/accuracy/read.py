"""Read measurement files: YAML lists of memory cases and CSV tables of speed rows.

A case is split in two at once: what was configured, which a predictor sees, and what was measured, which it never sees.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

import yaml

from planner.catalog.yaml_loader import Loader

Value: TypeAlias = str | int | float | bool | None
Config: TypeAlias = Mapping[str, object]
Kind = Literal[
    "inference-memory", "training-memory", "serving-speed", "training-speed", "collectives"
]

_APART: Final = ("measured", "note", "trust", "source")
_MEASURED_COLUMNS: Final[dict[Kind, tuple[str, ...]]] = {
    "training-speed": ("tokens_per_s_per_gpu", "tflops_per_gpu", "mfu"),
    "serving-speed": (
        "output_tokens_per_s", "prefill_tokens_per_s", "requests_per_s", "ttft_ms", "tpot_ms",
    ),
    "collectives": ("time_us", "busbw_gb_s"),
}  # fmt: skip


class Skip(Exception):  # noqa: N818 - a case that can't be predicted is no error
    """A case or figure whose configuration does not suffice; the message says what is missing."""


class BadMeasurements(ValueError):  # noqa: N818 - reads as what it is at the call site
    """A file that is no measurement file; the message says why."""


@dataclass(frozen=True, slots=True)
class Case:
    """One measured case."""

    id: str
    config: Config
    """Everything configured; nothing measured, no note."""
    measured: Mapping[str, float | str]
    trust: str
    source: str = ""
    note: str = ""

    @property
    def trusted(self) -> bool:
        """Whether the record holds what a good model needs."""
        return self.trust == "ok"


@dataclass(frozen=True, slots=True)
class MeasurementFile:
    """Cases of one file, all of one kind."""

    path: Path
    kind: Kind
    cases: tuple[Case, ...]


def read(path: Path) -> MeasurementFile:
    """Read a measurement file; its kind follows from its keys or columns."""
    if not path.is_file():
        raise BadMeasurements(f"{path} is no file")
    try:
        return _read_csv(path) if path.suffix == ".csv" else _read_yaml(path)
    except UnicodeDecodeError:
        raise BadMeasurements(f"{path} is not UTF-8 text") from None
    except (OSError, csv.Error, RecursionError) as error:
        raise BadMeasurements(f"{path} cannot be read: {error}") from error


def _read_yaml(path: Path) -> MeasurementFile:
    try:
        records = yaml.load(path.read_text("utf-8"), Loader)
    except yaml.YAMLError as error:
        raise BadMeasurements(f"{path} is no YAML: {error}") from error
    if not isinstance(records, list) or not all(isinstance(r, dict) for r in records):
        raise BadMeasurements(f"{path} holds no list of cases")
    kind: Kind = "inference-memory"
    if any("method" in r or "optimizer" in r or r.get("group") == "oracle" for r in records):
        kind = "training-memory"
    return MeasurementFile(path, kind, tuple(_case(r, path) for r in records))


def _case(record: dict[str, object], path: Path) -> Case:
    measured = record.get("measured") or {}
    if "id" not in record or not isinstance(measured, dict):
        raise BadMeasurements(f"{path}: a case without id or with a bad `measured`")
    config = {k: v for k, v in record.items() if k not in _APART}
    if "peak_kind" in measured:
        # Which statistic a peak is belongs to the question, not to the answer.
        config["peak_kind"] = measured["peak_kind"]
    return Case(
        id=str(record["id"]),
        config=config,
        measured={str(k): v for k, v in measured.items() if v is not None},
        trust=str(record.get("trust", "ok")),
        source=str(record.get("source", "")),
        note=str(record.get("note", "")),
    )


def _kind_of_columns(columns: list[str], path: Path) -> Kind:
    for kind, measured in _MEASURED_COLUMNS.items():
        if measured[0] in columns:
            return kind
    raise BadMeasurements(f"{path} has none of the columns of a known measurement table")


def _read_csv(path: Path) -> MeasurementFile:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
        kind = _kind_of_columns(list(reader.fieldnames or ()), path)
    return MeasurementFile(
        path,
        kind,
        tuple(_row_case(row, kind, f"{path}, line {n}") for n, row in enumerate(rows, 2)),
    )


def _row_case(row: dict[str, str], kind: Kind, place: str) -> Case:
    if not row.get("id"):
        raise BadMeasurements(f"{place}: a row without id")
    columns = _MEASURED_COLUMNS[kind]
    measured: dict[str, float | str] = {}
    for column in columns:
        text = (row.get(column) or "").strip()
        if text:
            measured[column] = _figure(text, column, place)
    # Speed predictors read facts of a setup, such as its network, from the note of a row.
    config = {k: v for k, v in row.items() if k not in columns and k not in ("trust", "source")}
    return Case(
        row["id"], config, measured, row.get("trust") or "ok", row.get("source") or "",
        row.get("note") or "",
    )  # fmt: skip


def _figure(text: str, column: str, place: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise BadMeasurements(f"{place}: `{text}` in {column} is not a number") from None
