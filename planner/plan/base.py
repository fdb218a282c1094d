"""What all parts of a plan share: money as decimal strings, immutable records without unknown keys."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, PlainSerializer

Money = Annotated[
    Decimal, PlainSerializer(lambda v: format(v, ".2f"), return_type=str, when_used="json")
]


class PlanModel(BaseModel):
    """Base of all parts of a plan: immutable, unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True, populate_by_name=True)
