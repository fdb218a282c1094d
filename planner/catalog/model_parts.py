"""Parts of a model's architecture that only some models have."""

from planner.catalog.base import Record


class Moe(Record):
    """Mixture of experts. Layer l is MoE if l >= first_dense_layers and (l + 1) % every == 0."""

    num_experts: int
    """Experts of a layer, shared ones not counted."""
    experts_per_token: int
    """Experts that each token is sent to."""
    moe_intermediate_size: int
    """Width of one expert."""
    shared_experts: int = 0
    """Experts that every token passes."""
    first_dense_layers: int = 0
    """Layers at the start that have a plain MLP."""
    every: int = 1
    """Every how many layers one has experts."""
    router_bias: bool = False
    """Whether the router has a bias."""
    expert_bias: bool = False
    """Whether the experts have biases."""
    shared_expert_gate: bool = False
    """Whether a learned gate weighs the shared experts' output (Qwen)."""


class Mla(Record):
    """Multi-head latent attention: one compressed key-value vector per token, shared by all heads."""

    kv_lora_rank: int
    """Width of the compressed key-value vector that is cached."""
    qk_rope_head_dim: int
    """Width of the rotary part of a head, shared by all heads."""
    qk_nope_head_dim: int
    """Width of the other part of a query or key head."""
    v_head_dim: int
    """Width of a value head."""
    q_lora_rank: int | None = None
    """Width of the compressed query, absent where queries are not compressed."""
    index_heads: int = 0
    """Heads of the indexer that picks the tokens to attend to (DeepSeek-V3.2, GLM-5); 0: none."""
    index_head_dim: int = 0
    """Width of its key, which is cached per token and layer beside the latent vector."""


class LinearAttention(Record):
    """Gated delta-rule layers (Qwen3-Next, Qwen3.5): a state of fixed size per sequence instead of keys and values."""

    key_heads: int
    """Heads of query and key."""
    value_heads: int
    """Heads of value, output gate, decay and update rate."""
    key_head_dim: int = 128
    """Width of a query or key head."""
    value_head_dim: int = 128
    """Width of a value head."""
    conv_kernel: int = 4
    """Tokens that the convolution before the recurrence looks at."""

    @property
    def key_width(self) -> int:
        """Features of all key heads."""
        return self.key_heads * self.key_head_dim

    @property
    def value_width(self) -> int:
        """Features of all value heads."""
        return self.value_heads * self.value_head_dim

    def state_bytes(self, conv_bytes: float = 2.0, state_bytes: float = 4.0) -> float:
        """Bytes that one sequence keeps per layer: the recurrent matrices and the last inputs of the convolution.

        value heads x key dim x value dim x 4 + (2 x keys + values) x (kernel - 1) x 2.

        >>> LinearAttention(key_heads=16, value_heads=32).state_bytes() / 2**20
        2.046875
        """
        recurrent = self.value_heads * self.key_head_dim * self.value_head_dim * state_bytes
        inputs = (2 * self.key_width + self.value_width) * (self.conv_kernel - 1)
        return recurrent + inputs * conv_bytes


class Vision(Record):
    """A vision tower in front of the text model; `params` counts tower and projector."""

    type: str
    params: int
    hidden_size: int | None = None
    num_layers: int | None = None
    num_global_layers: int | None = None
    num_heads: int | None = None
    intermediate_size: int | None = None
    patch_size: int | None = None
    image_size: int | None = None
    max_tiles: int | None = None
    output_dim: int | None = None
    tokens_per_tile: int | None = None
    tokens_per_image: int | None = None
    params_source: str = ""
