"""What someone asks of one model on given GPUs becomes asks and a pool; what is not given is assumed and said."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Literal, TypedDict, Unpack, get_args

from planner.catalog.records import Model
from planner.layout import Offload, Recompute
from planner.options.asks import Ask, Attention, Degrees, ServingAsk, TrainingAsk, own_format
from planner.scenario.schema_base import TrainingFormat

Risk = Literal["upper", "best"]
FitKind = Literal["inference", "lora", "qlora", "full"]
FIT_KINDS: tuple[FitKind, ...] = ("inference", "lora", "qlora", "full")
CONTEXT, PROMPT, OUTPUT, SEQUENCE, GLOBAL_BATCH, TOKENS = 2048, 512, 256, 2048, 8, 1e8
"""Assumed where nothing is said; the output stars them."""
RANK = 16
_OFFLOADS = "deepspeed"
"""The framework that moves optimizer states off the GPU."""
_SERVING, _TRAINING = ("inference",), ("lora", "qlora", "full")
_HOLDS_FOR: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        (
            "kv",
            "context",
            "concurrent",
            "requests",
            "prompt",
            "output",
            "engine",
            "memory_fraction",
        ),
        _SERVING,
    ),
    **dict.fromkeys(
        ("sequence", "global_batch", "micro_batch", "recompute", "optimizer", "tokens"), _TRAINING
    ),
    **dict.fromkeys(("framework", "zero", "offload"), ("full",)),
    "rank": ("lora", "qlora"),
}
"""Kinds that a parameter means something for; the others mean something for all."""
_WORDS: dict[str, tuple[str, ...]] = {
    "kinds": FIT_KINDS, "recompute": get_args(Recompute), "offload": get_args(Offload),
    "attention": get_args(Attention), "risk": get_args(Risk),
}  # fmt: skip
_RECOMPUTE_MODES: tuple[Recompute, ...] = ("none", "selective", "full")


class FitOptions(TypedDict, total=False):
    """What may be said of how a model is served or trained."""

    kinds: Sequence[FitKind]
    """What to run; absent: all four."""
    precision: Sequence[str]
    """Weight formats in order of preference: `16bit`, `fp8`, `gptq-int4`, ..."""
    kv: str
    """KV cache format; absent: `auto`, 16-bit."""
    context: int
    """Tokens one sequence must be able to hold."""
    concurrent: int
    """Requests in flight."""
    requests: float
    """Requests per second, instead of `concurrent`."""
    prompt: float
    """Mean prompt tokens."""
    output: float
    """Mean output tokens."""
    engine: str
    """Serving engine profile."""
    memory_fraction: float
    """Share of GPU memory the engine takes."""
    sequence: int
    """Training: tokens of a sequence."""
    global_batch: int
    """Training: sequences of one optimizer step."""
    micro_batch: Sequence[int]
    """Training: sequences per GPU and pass."""
    framework: str
    """Full fine-tuning: framework profile."""
    zero: Sequence[int]
    """Full fine-tuning: ZeRO stages allowed."""
    recompute: Sequence[Recompute]
    """Training: `none`, `selective`, `full`."""
    optimizer: str
    """Training: `adamw`, `adamw-8bit`, ..."""
    offload: Offload
    """Full fine-tuning: where optimizer states go: `none`, `cpu`, `nvme`."""
    rank: int
    """Rank of LoRA adapters; absent: 16."""
    tokens: float
    """Training: tokens to process, for the time to finish."""
    attention: Attention
    """Attention kernel; absent: `auto`."""
    tp: Sequence[int]
    """Tensor parallel degrees allowed."""
    pp: Sequence[int]
    """Pipeline degrees allowed."""
    dp: Sequence[int]
    """Data parallel degrees allowed."""
    risk: Risk
    """Estimate the verdict rests on: `upper` (absent) or `best`."""


class FitError(ValueError):
    """A question that cannot be answered; `parameter` is what to change, and the text says how."""

    def __init__(self, parameter: str, message: str) -> None:
        """Keep the parameter's name beside the message."""
        super().__init__(message)
        self.parameter = parameter


@dataclass(frozen=True, slots=True, kw_only=True)
class FitWish:
    """How a model is to be served or trained; None and empty tuples: not given."""

    kinds: tuple[FitKind, ...] = FIT_KINDS
    precision: tuple[str, ...] = ()
    kv: str = "auto"
    context: int | None = None
    concurrent: int | None = None
    requests: float | None = None
    """Requests per second."""
    prompt: float | None = None
    output: float | None = None
    engine: str | None = None
    memory_fraction: float | None = None
    sequence: int | None = None
    global_batch: int | None = None
    micro_batch: tuple[int, ...] = ()
    framework: str | None = None
    zero: tuple[int, ...] = ()
    recompute: tuple[Recompute, ...] = ()
    optimizer: str | None = None
    offload: Offload = "none"
    rank: int = RANK
    tokens: float | None = None
    attention: Attention = "auto"
    tp: tuple[int, ...] = ()
    pp: tuple[int, ...] = ()
    dp: tuple[int, ...] = ()
    risk: Risk = "upper"

    def __post_init__(self) -> None:
        """Refuse what means nothing, alone or together."""
        for field in fields(self):
            value = getattr(self, field.name)
            for number in value if isinstance(value, tuple) else (value,):
                if isinstance(number, int | float) and not _means_something(field.name, number):
                    raise FitError(field.name, f"{number} is not a number to reckon with")
            self._refuse_out_of_place(field.name, given=value not in (None, (), field.default))
        if self.requests is not None and self.concurrent is not None:
            raise FitError("requests", "give requests per second or requests in flight, not both")
        request = (self.prompt or 1) + (self.output or 1)
        if self.context is not None and request > self.context:
            text = f"a context of {self.context} tokens cannot hold a request of {request:g} tokens"
            raise FitError("context", text)

    def _refuse_out_of_place(self, name: str, *, given: bool) -> None:
        kinds = _HOLDS_FOR.get(name, self.kinds)
        if given and not set(kinds) & set(self.kinds):
            text = f"means something for {_listed(kinds)}, not for {_listed(self.kinds)}"
            raise FitError(name, text)
        formats = [p for p in self.precision if p not in get_args(TrainingFormat)]
        if name == "precision" and formats and "inference" not in self.kinds:
            text = f"`{formats[0]}` is a format to serve with; training takes {_listed(get_args(TrainingFormat))}"
            raise FitError(name, text)

    @property
    def request(self) -> tuple[float, float, int]:
        """Prompt, output and context in tokens; what is not given gives way to what is."""
        if self.context is None:
            prompt, output = self.prompt or PROMPT, self.output or OUTPUT
            longer = math.ceil((prompt + output) / 256) * 256
            return prompt, output, max(CONTEXT, longer)
        half = self.context / 2
        room = self.context - (self.prompt or self.output or half)
        prompt = self.prompt or min(PROMPT, half, room)
        output = self.output or min(OUTPUT, half, room)
        return prompt, output, self.context

    def asks(self, model: Model) -> list[Ask]:
        """One ask per kind."""
        return [
            self._serving(model) if kind == "inference" else self._training(model, kind)
            for kind in self.kinds
        ]

    def assumed(self, model: Model) -> dict[str, tuple[str, ...]]:
        """Per kind the values that were not given, such as `context 2048`."""
        own = own_format(model)
        prompt, output, context = self.request
        serving: dict[str, object] = {
            "context": context, "prompt": f"{prompt:g}", "output": f"{output:g}",
        }  # fmt: skip
        if self.requests is None:
            serving["concurrent"] = 1
        training = {"sequence": SEQUENCE, "global_batch": GLOBAL_BATCH, "tokens": f"{TOKENS:g}"}
        more = {
            "inference": (f"precision {own[0]}, the checkpoint's own",)
            if own and not self.precision
            else (),
            "full": (f"framework {_OFFLOADS}",)
            if self._moves_states and not self.framework
            else (),
        }
        return {
            k: (*self._missing(serving if k == "inference" else training), *more.get(k, ()))
            for k in self.kinds
        }

    @property
    def _moves_states(self) -> bool:
        return self.offload != "none"

    def _missing(self, defaults: Mapping[str, object]) -> tuple[str, ...]:
        return tuple(
            f"{name.replace('_', ' ')} {value}"
            for name, value in defaults.items()
            if getattr(self, name) is None
        )

    def _degrees(self) -> Degrees:
        return Degrees(tp=self.tp or None, pp=self.pp or None, dp=self.dp or None)

    def _serving(self, model: Model) -> ServingAsk:
        prompt, output, context = self.request
        return ServingAsk(
            name="inference", model=model, kind="inference", degrees=self._degrees(),
            attention=self.attention, risk=self.risk,
            engine=self.engine,
            precision=self.precision or (*own_format(model), "16bit"),
            kv=(self.kv,),
            context=context,
            prompt=prompt,
            output=output,
            rate=self.requests,
            concurrent=None if self.requests is not None else self.concurrent or 1,
            memory_fraction=self.memory_fraction,
        )  # fmt: skip

    def _training(self, model: Model, kind: FitKind) -> TrainingAsk:
        full, quantized = kind == "full", kind == "qlora"
        formats = tuple(p for p in self.precision if p in get_args(TrainingFormat))
        return TrainingAsk(
            name=kind, model=model, kind=kind, degrees=self._degrees(),
            attention=self.attention, risk=self.risk,
            precision=formats or ("16bit",),
            framework=(self.framework or (_OFFLOADS if self._moves_states else None)) if full else None,
            base="nf4" if quantized else None,
            optimizer=self.optimizer or ("paged-adamw-8bit" if quantized else "adamw"),
            zero=self.zero or None if full else None,
            offload_optimizer=(self.offload,) if full else ("none",),
            recompute=tuple(m for m in _RECOMPUTE_MODES if m in self.recompute) or None,
            sequence=self.sequence or SEQUENCE,
            global_batch=self.global_batch or GLOBAL_BATCH,
            micro_batch=self.micro_batch or None,
            lora_rank=self.rank,
            tokens=self.tokens or TOKENS,
        )  # fmt: skip


def wish_of(**options: Unpack[FitOptions]) -> FitWish:
    """The wish of what was said; a word that is none of those allowed is refused.

    >>> wish_of(kinds=["lora"], rank=8).rank
    8
    """
    given: dict[str, object] = {}
    several = {f.name for f in fields(FitWish) if isinstance(f.default, tuple)}
    for name, value in options.items():
        if name not in FitOptions.__annotations__:
            raise FitError(
                name, f"`{name}` is none of {_listed(sorted(FitOptions.__annotations__))}"
            )
        words = _words(value)
        for word in words if name in _WORDS else ():
            if word not in _WORDS[name]:
                raise FitError(name, f"`{word}` is none of {_listed(_WORDS[name])}")
        given[name] = words if name in several else value
    if given.get("kinds") == ():
        raise FitError("kinds", "no kind is given")
    return FitWish(**given)  # type: ignore[arg-type]


def _words(value: object) -> tuple[object, ...]:
    """All values of a list; one that stands alone is a list of one."""
    if isinstance(value, Iterable) and not isinstance(value, str):
        return tuple(value)
    return (value,)


def _listed(words: Sequence[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def _means_something(name: str, number: float) -> bool:
    if name == "zero":
        return number in (0, 1, 2, 3)
    return math.isfinite(number) and number > 0 and (name != "memory_fraction" or number <= 1)
