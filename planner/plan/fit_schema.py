"""What `planner fit` returns: the account of one model on given GPUs. JSON schema name: planner/fit/1."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from planner.plan.schema import Explanation, PlanLayout, PlanLedger, PlanModel, PlanSpeed


class FitLayout(PlanModel):
    """One layout that fits."""

    gpus: int
    layout: PlanLayout
    ledger: PlanLedger
    speed: PlanSpeed
    replicas_in_node: int
    """How many such replicas the given GPUs hold."""
    replicas_asked: int | None = None
    """How many such replicas the requests per second asked for take; None where none were asked for."""


class Limit(PlanModel):
    """How far one quantity can go before it no longer fits on the given GPUs."""

    name: str
    """context, micro-batch, sequence, requests in flight, ..."""
    asked: float
    largest: float
    """0 where nothing fits."""


class KindFit(PlanModel):
    """The verdict for one kind of workload."""

    kind: str
    verdict: Literal["fits", "does not fit"]
    summary: str
    """One line: the layout that fits on the fewest GPUs, or the nearest miss."""
    layouts: tuple[FitLayout, ...] = ()
    """The fastest that fits for each number of GPUs."""
    limits: tuple[Limit, ...] = ()
    least_gpus: int | None = None
    """Fewest GPUs of this type in one node on which it fits, were there such a node; None: not on 64."""
    node_type: str = ""
    """The smallest node type of the catalog with `least_gpus` of them, where the given GPUs are too few."""
    least_nodes: int | None = None
    """Where no node has `least_gpus`: fewest nodes of `node_gpus` over which it fits; None: not on 64 GPUs."""
    node_gpus: int | None = None
    explanation: Explanation | None = None
    assumed: tuple[str, ...] = ()
    """Values taken because no flag gave them."""


class RuleRow(PlanModel):
    """A well-known rule of thumb beside our figure."""

    rule: str
    gb: float
    ours_gb: float | None
    leaves_out: str


class Fit(PlanModel):
    """The answer to `planner fit`."""

    schema_: Literal["planner/fit/1"] = Field(default="planner/fit/1", alias="schema")
    model: str
    parameters: int
    gpu: str
    gpus: int
    usable_gib: float
    """CUDA total of one GPU."""
    unverified: tuple[str, ...] = ()
    """Catalog fields nobody could verify that the answer leans on."""
    kinds: tuple[KindFit, ...] = ()
    rules: tuple[RuleRow, ...] = ()

    @property
    def any_fits(self) -> bool:
        """Whether at least one kind fits."""
        return any(k.verdict == "fits" for k in self.kinds)

    def to_json(self) -> str:
        """The fit as canonical JSON text, ending in a newline."""
        return self.model_dump_json(by_alias=True, indent=2) + "\n"
