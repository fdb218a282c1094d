"""The whole scenario file."""

from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from planner.catalog.records import Mla, Moe
from planner.scenario.formats import Day, EnergyPrice, GrowthRate, MonthlyPrice, PlainSum
from planner.scenario.numbers import (
    ONE_OR_LIST,
    Count,
    Factor,
    Multiple,
    PositiveCount,
    Share,
    Tokens,
)
from planner.scenario.quantities import Duration, Power
from planner.scenario.schema_base import Flag, Part, Short, Text
from planner.scenario.schema_supply import Pool
from planner.scenario.schema_training import FullWorkload, LoraWorkload, QloraWorkload
from planner.scenario.schema_workloads import (
    BatchWorkload,
    EmbeddingWorkload,
    InferenceWorkload,
)

WorkloadSpec: TypeAlias = (
    InferenceWorkload
    | BatchWorkload
    | EmbeddingWorkload
    | FullWorkload
    | LoraWorkload
    | QloraWorkload
)
TrainingSpec: TypeAlias = FullWorkload | LoraWorkload | QloraWorkload


class Horizon(Part):
    """The time the plan covers; without it the plan is a steady state."""

    start: Day = Field(examples=["2026-10-01"])
    """First day."""
    length: Duration = Field(examples=["1 month"])
    """How long (other than one month is not supported yet)."""
    slot: Duration | None = Field(default=None, examples=["1 week"])
    """Finest time step (several in a horizon are not supported yet)."""
    period: Duration | None = Field(default=None, examples=["1 quarter"])
    """Budget step: whole months or whole days; default: the whole horizon."""
    convention: Literal["accrual", "cash"] = Field(default="accrual", examples=["accrual"])
    """`accrual` spreads purchases over their life and commitments over their term; `cash` counts payments when due."""


class Energy(Part):
    """What power costs."""

    price: Annotated[tuple[EnergyPrice, ...], ONE_OR_LIST] = Field(examples=["0.12 USD/kWh"])
    """Price of electric energy; may be a list with one value per period."""
    growth: GrowthRate | None = Field(default=None, examples=["+3 %/year"])
    """How the price changes over the horizon."""
    pue: Factor = Field(default=Decimal("1.3"), examples=[1.3])
    """Power usage effectiveness: power of the building over power of the machines."""
    idle: Share = Field(default=Fraction(1, 5), examples=["20 %"])
    """Power of a GPU that waits for work, its memory full, as a share of its TDP."""


class Limits(Part):
    """What must not be exceeded."""

    capex: Annotated[tuple[PlainSum, ...] | None, ONE_OR_LIST] = Field(
        default=None, examples=["500000 USD"]
    )
    """Most money to spend on purchases: over the whole horizon, or a list with one value per period."""
    opex: Annotated[tuple[MonthlyPrice, ...] | None, ONE_OR_LIST] = Field(
        default=None, examples=["20000 USD/month"]
    )
    """Most money per month for rent, energy, upkeep and support; may be a list with one value per period."""
    power: Annotated[tuple[Power, ...] | None, ONE_OR_LIST] = Field(
        default=None, examples=["40 kW"]
    )
    """Most power of the owned and bought nodes in use, without cooling; may be a list with one value per period."""
    rack_units: Annotated[tuple[PositiveCount, ...] | None, ONE_OR_LIST] = Field(
        default=None, examples=[84]
    )
    """Most rack units of owned nodes in use and bought nodes; may be a list with one value per period."""


class Uncertainty(Part):
    """How far things may turn out otherwise, for `planner solve --robust`; needs a `horizon`."""

    demand: Annotated[tuple[Multiple, ...] | None, ONE_OR_LIST] = Field(
        default=None, examples=[["80 %", "130 %"]]
    )
    """Low and high demand of the services, as shares of the stated one; absent: 80 % and 120 %."""
    prices: Annotated[tuple[Multiple, ...] | None, ONE_OR_LIST] = Field(
        default=None, examples=[["90 %", "115 %"]]
    )
    """Low and high prices of energy and rent on demand, as shares of the stated ones; absent: 90 % and 110 %."""
    late: Duration | None = Field(default=None, examples=["4 weeks"])
    """How late purchases may arrive; absent: 4 weeks."""


class OwnModel(Part):
    """A model the catalog does not have: a config file, dimensions, or a parameter count alone."""

    base: Text | None = Field(default=None, examples=["llama-3.1-8b"])
    """Model of the catalog whose dimensions fill in what is not written here."""
    config: Text | None = Field(default=None, examples=["./config.json"])
    """Path of a Hugging Face config.json, relative to the scenario."""
    params: PositiveCount | None = Field(default=None, examples=["7e9"])
    """Parameter count; alone it makes planner assume a common shape, with a warning."""
    hidden_size: PositiveCount | None = Field(default=None, examples=[4096])
    """Width of the residual stream."""
    intermediate_size: PositiveCount | None = Field(default=None, examples=[11008])
    """Width of the MLP."""
    num_layers: PositiveCount | None = Field(default=None, examples=[32])
    """Layers."""
    num_attention_heads: PositiveCount | None = Field(default=None, examples=[32])
    """Query heads."""
    num_key_value_heads: PositiveCount | None = Field(default=None, examples=[8])
    """Key-value heads; default: as many as query heads."""
    head_dim: PositiveCount | None = Field(default=None, examples=[128])
    """Width of a head; default: hidden_size / num_attention_heads."""
    vocab_size: PositiveCount | None = Field(default=None, examples=[32000])
    """Vocabulary."""
    max_position_embeddings: Tokens | None = Field(default=None, examples=[8192])
    """Longest context the model was made for."""
    attention_bias: Literal["none", "qkv", "all"] | None = Field(default=None, examples=["none"])
    """Which attention projections have a bias."""
    gated_mlp: Flag | None = Field(default=None, examples=[True])
    """Whether the MLP has a gate (three matrices instead of two)."""
    mlp_bias: Flag | None = Field(default=None, examples=[False])
    """Whether the MLP has biases."""
    tie_word_embeddings: Flag | None = Field(default=None, examples=[False])
    """Whether input and output embeddings are one tensor."""
    sliding_window: PositiveCount | None = Field(default=None, examples=[4096])
    """Sliding attention window in tokens."""
    layer_pattern: Text | None = Field(default=None, examples=["SF"])
    """One letter a layer: F full attention, S sliding window, C chunked."""
    moe: Moe | None = Field(default=None, examples=[None])
    """Mixture of experts."""
    mla: Mla | None = Field(default=None, examples=[None])
    """Multi-head latent attention."""
    native_dtype: Literal["fp32", "fp16", "bf16", "fp8", "mxfp4"] | None = Field(
        default=None, examples=["bf16"]
    )
    """Type the weights are published in."""
    fp16_ok: Flag | None = Field(default=None, examples=[True])
    """`false` where 16-bit floats overflow."""
    extra_params: Count | None = Field(default=None, examples=[0])
    """Parameters not described by the dimensions."""


class ScenarioFile(Part):
    """A scenario: which workloads run on which supply, under which limits."""

    scenario: Text = Field(examples=["lab"])
    """Name of the scenario."""
    extends: Annotated[tuple[Text, ...], ONE_OR_LIST] = Field(default=(), examples=["./base.yaml"])
    """Scenario files this one builds on: mappings merge, named list items merge by name."""
    horizon: Horizon | None = Field(
        default=None, examples=[{"start": "2026-10-01", "length": "1 month"}]
    )
    """The time the plan covers; absent: a steady state of one month."""
    currency: Text = Field(default="USD", examples=["USD"])
    """Currency of all prices, as three letters."""
    energy: Energy | None = Field(default=None, examples=[{"price": "0.12 USD/kWh"}])
    """What power costs; absent: energy costs nothing."""
    objective: tuple[Literal["unserved", "cost"], ...] = Field(
        default=("unserved", "cost"), examples=[["unserved", "cost"]]
    )
    """What to minimise, first things first."""
    limits: Limits = Field(default=Limits.model_construct(), examples=[{"opex": "20000 USD/month"}])
    """What must not be exceeded."""
    uncertainty: Uncertainty | None = Field(
        default=None, examples=[{"demand": ["80 %", "130 %"], "late": "4 weeks"}]
    )
    """How far demand, prices and deliveries may turn out otherwise."""
    inventory: tuple[Pool, ...] = Field(
        min_length=1, examples=[[{"pool": "box", "gpu": "l40s", "owned": {"nodes": 1}}]]
    )
    """Pools of nodes: what one has, may rent or buy."""
    models: dict[str, Annotated[OwnModel, Short("base")]] = Field(
        default={}, examples=[{"ours": {"config": "./config.json"}}]
    )
    """Models the catalog does not have, by name."""
    workloads: tuple[Annotated[WorkloadSpec, Field(discriminator="kind")], ...] = Field(
        min_length=1, examples=[[{"name": "chat", "kind": "inference", "model": "llama-3.1-8b"}]]
    )
    """What is to run."""
