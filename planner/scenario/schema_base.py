"""What all parts of the scenario file share: immutable, unknown keys refused, each field documented."""

from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
)
from pydantic_core import CoreSchema, core_schema

from planner.scenario.reading import Read
from planner.scenario.refusals import refusal, shown


class Part(BaseModel):
    """A mapping of the scenario file."""

    # No names are protected: to compare each field with pydantic's own takes a millisecond of every start.
    model_config = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, protected_namespaces=()
    )


class Short:
    """Annotation: one word is short for a mapping.

    `Short("type")`: `node: dgx-h100` is short for `node: {type: dgx-h100}`. `Short(None)`: `none` is short for an
    empty mapping.
    """

    def __init__(self, key: str | None) -> None:
        """The key that the word is the value of."""
        self.key = key

    def expand(self, value: object) -> object:
        """The mapping a word stands for; anything else as it is."""
        if self.key is None:
            return {} if value == "none" else value
        return {self.key: value} if isinstance(value, str) else value

    def __get_pydantic_core_schema__(
        self, source: type[object], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Expand the short form before validation."""
        return core_schema.no_info_before_validator_function(self.expand, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, object]:
        """The word or the mapping."""
        word = {"const": "none"} if self.key is None else {"type": "string", "minLength": 1}
        return {"anyOf": [word, handler(schema)]}


def _text(value: object) -> str:
    if isinstance(value, str) and value.strip():
        return value.strip()
    if isinstance(value, str):
        raise refusal("value", "the text is empty", "write a name")
    if isinstance(value, list | dict | tuple):
        kind = "mapping" if isinstance(value, dict) else "list"
        raise refusal("value", f"expected a text, found a {kind}")
    raise refusal(
        "value", f"expected a text, found `{shown(value)}`", f'put it in quotes: `"{shown(value)}"`'
    )


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    yes = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
    word = yes.get(str(value).lower())
    raise refusal(
        "value",
        f"expected true or false, found `{shown(value)}`",
        f"write `{word}`" if word else "write `true` or `false`",
    )


Text = Annotated[str, Read(_text, {"type": "string", "minLength": 1})]
"""A text, such as a name."""
Flag = Annotated[bool, Read(_flag, {"type": "boolean"})]
"""`true` or `false`; YAML 1.1's yes and no are texts and refused."""

Kind = Literal["inference", "batch", "embedding", "full", "lora", "qlora"]
KINDS: tuple[Kind, ...] = ("inference", "batch", "embedding", "full", "lora", "qlora")
Topology = Literal["nvswitch", "mesh", "bridge-pairs", "none"]
Target = Literal["none", "cpu", "nvme"]
RecomputeMode = Literal["none", "selective", "full"]
Attention = Literal["auto", "flash", "sdpa", "eager"]
ShardingMode = Literal["ddp", "layers", "fsdp", "zero", "tp"]
Master = Literal["fp32", "none"]
Loss = Literal["plain", "chunked", "fused"]
OptimizerName = Literal[
    "adamw",
    "adamw-8bit",
    "paged-adamw",
    "paged-adamw-8bit",
    "sgd",
    "sgd-momentum",
    "adafactor",
    "lion",
    "muon",
]
Format = Literal[
    "16bit",
    "bf16",
    "fp16",
    "fp32",
    "fp8",
    "int8",
    "gptq-int8",
    "gptq-int4",
    "awq-int4",
    "autoround-int4",
    "nf4",
    "nf4-double-quant",
    "fp4",
    "mxfp4",
    "nvfp4",
    "gguf-f16",
    "gguf-q8_0",
    "gguf-q6_k",
    "gguf-q5_k_m",
    "gguf-q4_k_m",
    "gguf-q4_0",
    "gguf-q3_k_m",
    "gguf-q2_k",
    "gguf-iq4_xs",
]
"""Weight formats; `16bit` is bf16 where native, else fp16 where the model allows it."""
TrainingFormat = Literal["16bit", "bf16", "fp16", "fp32"]
KvFormat = Literal["bf16", "fp16", "fp8", "int8", "int4", "q8_0", "q4_0"]
