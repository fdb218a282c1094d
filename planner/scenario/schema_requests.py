"""Request sizes of a service, and the throughput its users measured at these sizes."""

from typing import Annotated, Literal

from pydantic import Field

from planner.scenario.numbers import ONE_OR_LIST, PositiveCount, Share, Tokens
from planner.scenario.quantities import RateOrZero
from planner.scenario.schema_base import Part, Text


class Bucket(Part):
    """One bar of a histogram of request sizes."""

    prompt: Tokens = Field(examples=[1500])
    """Prompt tokens."""
    output: Tokens = Field(examples=[300])
    """Output tokens."""
    share: Share = Field(examples=["40 %"])
    """Share of the requests; all shares add up to 100 %."""


class MeasuredRow(Part):
    """What one replica on one kind of GPU was measured to do."""

    gpu: Text = Field(examples=["a10g"])
    """GPU of the catalog."""
    gpus: PositiveCount = Field(default=1, examples=[2])
    """GPUs of the replica that was measured."""
    rates: Annotated[tuple[RateOrZero, ...], ONE_OR_LIST] = Field(examples=[["2 /s", "0.5 /s"]])
    """Most requests per second within the latency objectives, for each size of `demand.sizes` in its order, as if
    all requests had that size; `0 /s`: that size can't be served. One rate where `demand` gives means."""


class Throughput(Part):
    """Throughput of replicas, measured by the user, and how requests may be shared out."""

    measured: tuple[MeasuredRow, ...] = Field(
        default=(), examples=[[{"gpu": "a10g", "rates": ["2 /s"]}]]
    )
    """Measured rates; they replace the speed model, and only the GPUs and counts listed are used."""
    split: Literal["continuous", "none"] = Field(default="continuous", examples=["none"])
    """Whether requests of one size may go to several GPU types; `none`: each size goes to one type."""
