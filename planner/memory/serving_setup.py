"""What a user may set of an inference engine; None and `auto` mean the engine's own default."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingSetup:
    """Settings of one inference replica.

    >>> ServingSetup(context=8192).mean_tokens
    8192
    """

    context: int
    """Tokens one sequence must be able to hold."""
    weights: str = "16bit"
    """Stored weight format; 16bit is bf16 where native, else fp16."""
    kv: str = "auto"
    """KV-cache format; auto is 16 bit."""
    tokens_per_sequence: float | None = None
    """Mean prompt + output for sizing; the context when not given."""
    tokens_per_sequence_p95: float | None = None
    max_num_seqs: int | None = None
    max_batched_tokens: int | None = None
    memory_fraction: float | None = None
    block_size: int | None = None
    eager: bool = False
    attention: str = "auto"
    context_parallel: int = 1
    """Decode context parallelism: ranks over which a sequence's cache is spread."""
    offload_weights_bytes: int = 0
    """Bytes of weights per GPU kept in host RAM."""
    batch: int = 1
    """Sequences of one batch, for engines without a cache pool."""
    prompt: int | None = None
    """Tokens of the prompt, for engines without a cache pool; the context when not given."""

    @property
    def mean_tokens(self) -> float:
        """Tokens of a mean sequence."""
        return self.tokens_per_sequence or self.context
