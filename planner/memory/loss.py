"""The loss term: logits, log-probabilities and their gradients, which do not scale with the parameters."""

from __future__ import annotations

from dataclasses import dataclass

from planner.catalog.frameworks import LossCost
from planner.memory.arrays import Floats


@dataclass(frozen=True, slots=True)
class LossBytes:
    """Bytes of the loss on the stage that computes it."""

    kept: Floats
    """Alive after forward."""
    peak: Floats
    """At the highest point, what was kept included."""


def loss_bytes(
    cost: LossCost, tokens: Floats, vocab_size: int, hidden_size: int, split: Floats | float = 1.0
) -> LossBytes:
    """Bytes of logits and cross entropy.

    kept = k V T / split + 2 h T x (fused); peak = p V T / split. Plain Hugging Face code: k = 4, p = 12 (16-bit
    logits, fp32 copy, log-softmax, fp32 gradients). T tokens of the micro-batch, V vocabulary, split = tp where the
    logits stay split.

    >>> import numpy as np
    >>> plain = LossCost(kept_bytes=4, peak_bytes=12)
    >>> round(float(loss_bytes(plain, np.float64(8192), 128256, 4096).peak) / 2**30, 1)
    11.7
    >>> round(float(loss_bytes(plain, np.float64(8192), 151936, 896).peak) / 2**30, 1)
    13.9
    """
    logits = tokens * (vocab_size / split)
    hidden = cost.hidden_bytes * hidden_size * tokens
    return LossBytes(cost.kept_bytes * logits, cost.peak_bytes * logits + hidden)
