"""Which predictor reads which kind of measurement file.

A predictor is a function from a case's configuration to figures by quantity. It is imported only when a file of its
kind is read, and never sees what was measured.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias, cast

from planner.accuracy.read import Config, Kind


class Figure(Protocol):
    """A predicted number with its interval."""

    @property
    def best(self) -> float:
        """Best value."""

    @property
    def low(self) -> float:
        """Lower end of the interval."""

    @property
    def high(self) -> float:
        """Upper end of the interval."""


@dataclass(frozen=True, slots=True)
class Number:
    """A predicted number with its interval."""

    best: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """A predicted outcome: at default risk, and at best values."""

    word: str
    best: str


@dataclass(frozen=True, slots=True)
class Missing:
    """A figure that the configuration does not suffice for."""

    reason: str


Prediction: TypeAlias = Figure | Verdict | Missing
Predictor: TypeAlias = Callable[[Config], Mapping[str, Prediction]]

PREDICTORS: Final[dict[Kind, tuple[str, str]]] = {
    "inference-memory": ("planner.accuracy.serving_memory", "predict"),
    "training-memory": ("planner.accuracy.training_memory", "predict"),
    "training-speed": ("planner.accuracy.speed_training", "predict_training"),
    "serving-speed": ("planner.accuracy.speed_serving", "predict_serving"),
    "collectives": ("planner.accuracy.speed_collectives", "predict_collective"),
}
"""Kind of file -> (module, function). A predictor raises `planner.accuracy.read.Skip` with the reason."""


def predictor(kind: Kind) -> Predictor:
    """The function that predicts cases of a kind."""
    module, name = PREDICTORS[kind]
    return cast(Predictor, getattr(importlib.import_module(module), name))
