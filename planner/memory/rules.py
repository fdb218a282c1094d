"""Rules of thumb that people use for memory, each with the term it leaves out.

Pure arithmetic in bytes; n is the number of parameters. `planner fit --rules` prints them beside the account.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Use = Literal["inference", "full", "lora", "qlora"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of thumb: bytes per parameter, where it comes from, what it leaves out."""

    name: str
    formula: str
    use: Use
    bytes_per_parameter: float
    holds: str
    """Where it holds."""
    leaves_out: str
    """The term it leaves out."""

    def bytes(self, parameters: int) -> float:
        """What the rule says for a model of this size.

        >>> [round(r.bytes(7_000_000_000) / 1e9, 1) for r in RULES if r.use in ("inference", "full")]
        [14.0, 16.8, 56.0, 70.0, 112.0, 140.0]
        """
        return self.bytes_per_parameter * parameters


RULES: Final[tuple[Rule, ...]] = (
    Rule(
        "16-bit weights", "2n", "inference", 2.0,
        "the weights alone",
        "KV cache, activations, CUDA context",
    ),
    Rule(
        "serving", "1.2 x 2n", "inference", 2.4,
        "batch 1 and short prompts, about 20 % high",
        "the KV cache: it grows with context x concurrent sequences",
    ),
    Rule(
        "full training, bf16, fused AdamW", "8n", "full", 8.0,
        "recomputation and short batches",
        "activations, and 12 V T bytes of logits and cross entropy",
    ),
    Rule(
        "full training, bf16, foreach AdamW", "10n", "full", 10.0,
        "short or recomputed batches",
        "activations and logits; a fused step needs 2n less",
    ),
    Rule(
        "full training, fp32 masters", "16n", "full", 16.0,
        "states with recomputation; 16n/N when sharded over N",
        "activations, logits, 2n of cached 16-bit weight copies, gathered layers",
    ),
    Rule(
        "full training, fp32, foreach AdamW", "20n", "full", 20.0,
        "everything in fp32",
        "activations and logits; 2 to 2.5 times too much for bf16 with recomputation",
    ),
    Rule(
        "LoRA", "2n + 1 %", "lora", 2.02,
        "recomputation and short sequences",
        "activations and logits, paid like full training: 1.1 to 3.8 times the rule",
    ),
    Rule(
        "4-bit weights", "n/2", "qlora", 0.5,
        "the quantized matrices alone",
        "scales, 16-bit embeddings and head, adapters, activations, logits: measured 1 to 1.7 bytes per parameter",
    ),
)  # fmt: skip


def seed_parameters(layers: int, hidden_size: int) -> int:
    """Parameters by the rule 16 L h^2 of a multi-head model with a gated block of 8/3 h and the margin for the rest.

    It leaves out grouped-query attention, the feed-forward width and the vocabulary: Llama-3.1-8B has 8,030,261,248.

    >>> seed_parameters(32, 4096)
    8589934592
    """
    return 16 * layers * hidden_size**2


def rules_for(use: Use) -> tuple[Rule, ...]:
    """The rules that people apply to one use.

    >>> [r.formula for r in rules_for("full")]
    ['8n', '10n', '16n', '20n']
    """
    return tuple(r for r in RULES if r.use == use)
