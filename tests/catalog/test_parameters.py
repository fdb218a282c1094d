"""Counts of parameters: every shipped model against its published count, and special cases by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.catalog import ids, model
from planner.catalog.parameters import (
    active_params,
    embedding_params,
    layer_params,
    lm_head_params,
    tensors,
    text_params,
    total_params,
)
from planner.catalog.records import Model, Moe

# Checkpoints that store more than weights, so that their count differs by a hair from the architecture.
STORED_BUFFERS = {
    "llama-7b": "inverse frequencies of the rotary embedding",
    "llama-13b": "inverse frequencies of the rotary embedding",
    "llama-33b": "inverse frequencies of the rotary embedding",
    "llama-65b": "inverse frequencies of the rotary embedding",
    "llama-2-7b": "inverse frequencies of the rotary embedding",
    "llama-2-13b": "inverse frequencies of the rotary embedding",
    "llama-2-70b": "inverse frequencies of the rotary embedding",
    "chatglm3-6b": "inverse frequencies of the rotary embedding",
    "gpt-neox-20b": "causal-mask and rotary buffers",
    "pythia-6.9b": "causal-mask and rotary buffers",
    "pythia-12b": "causal-mask and rotary buffers",
    "gpt-j-6b": "the published count was never confirmed",
    "kimi-k2-instruct": "counts fp8 scales as well",
    "kimi-k2-0905": "counts fp8 scales as well",
    "moonlight-16b-a3b": "router buffers",
    "bge-small-zh-v1.5": "position indices",
    "kimi-k2-thinking": "counts 4-bit scales as well",
    "deepseek-v3-0324": "counts fp8 scales as well",
    "deepseek-r1-0528": "counts fp8 scales as well",
    "minimax-m2.5": "counts fp8 scales as well",
    "bge-small-en-v1.5": "position indices",
    "bge-base-en-v1.5": "position indices",
    "bge-large-en-v1.5": "position indices",
    "multilingual-e5-large": "position indices",
    "bge-reranker-large": "position indices and a classifier",
}


@pytest.mark.parametrize("name", ids("models"))
def test_recount_equals_published(name):
    record = model(name)
    counted = total_params(record)
    assert counted == sum(t.count for t in tensors(record))
    if record.published_params is None:
        assert not record.published_source or "unverified" in record.published_source
        return
    if name in STORED_BUFFERS:
        assert counted == pytest.approx(record.published_params, rel=1e-3)
        assert counted < record.published_params
    else:
        assert counted == record.published_params


def test_llama_65b_by_hand():
    record = model("llama-65b")
    layer = 4 * 8192**2 + 3 * 8192 * 22016 + 2 * 8192
    assert layer_params(record, 0) == layer
    assert total_params(record) == 80 * layer + 2 * 32000 * 8192 + 8192


def test_every_layer_and_the_rest_make_the_total():
    for name in ids("models"):
        record = model(name)
        inside = sum(layer_params(record, i) for i in range(record.num_layers + record.mtp_layers))
        outside = sum(t.count for t in tensors(record) if t.layer is None)
        assert inside + outside == total_params(record)


def test_mixtures_of_experts_active_parameters():
    # Published by the makers: 37 B of DeepSeek-V3 (embedding not counted twice), 12.9 B of Mixtral,
    # 3.3 B of Qwen3-30B-A3B, 22 B of 235B-A22B, 5.1 B of gpt-oss-120b (embedding not counted).
    assert active_params(model("mixtral-8x7b")) == 12_879_925_248
    assert active_params(model("deepseek-v3")) == pytest.approx(37.5e9, rel=0.005)
    assert active_params(model("qwen3-30b-a3b")) == pytest.approx(3.35e9, rel=0.01)
    assert active_params(model("qwen3-235b-a22b")) == pytest.approx(22.2e9, rel=0.01)
    gpt = model("gpt-oss-120b")
    assert active_params(gpt) - embedding_params(gpt) == pytest.approx(5.13e9, rel=0.01)


def test_moe_layers_follow_first_dense_and_every():
    scout, maverick = model("llama-4-scout-17b-16e"), model("llama-4-maverick-17b-128e")
    experts = {t.layer for t in tensors(scout) if t.kind == "expert"}
    assert experts == set(range(48))
    assert {t.layer for t in tensors(maverick) if t.kind == "expert"} == set(range(1, 48, 2))
    assert {t.layer for t in tensors(model("deepseek-v3")) if t.kind == "mlp"} == {0, 1, 2}


def test_tied_embeddings_have_no_head():
    assert lm_head_params(model("gemma-2-9b")) == 0
    assert lm_head_params(model("phi-2")) == 51200 * 2560 + 51200


def test_vision_and_mtp_are_apart_from_text():
    gemma = model("gemma-3-27b")
    assert total_params(gemma) - text_params(gemma) == gemma.vision.params
    deepseek = model("deepseek-v3")
    assert total_params(deepseek) - text_params(deepseek) == 13_463_426_304
    assert {t.layer for t in tensors(deepseek) if t.kind == "mtp"} == {61}


def test_linear_matrices_are_what_quantizers_quantize():
    record = model("llama-3.1-8b")
    linear = sum(t.count for t in tensors(record) if t.linear)
    assert linear == 32 * (2 * 4096**2 + 2 * 4096 * 1024 + 3 * 4096 * 14336)
    for tensor in tensors(model("gpt-oss-20b")):
        if tensor.linear:
            assert tensor.rows * tensor.cols * tensor.copies == tensor.count
            assert tensor.kind in {"attention", "expert"}


def test_unknown_layer_is_an_error():
    with pytest.raises(IndexError, match="no layer 32"):
        layer_params(model("llama-3.1-8b"), 32)


def test_hybrid_layers_alternate_and_hold_their_own_tensors():
    record = model("qwen3-next-80b-a3b")
    linear = {t.layer for t in tensors(record) if t.name == "linear_attn.out_proj"}
    full = {t.layer for t in tensors(record) if t.name == "self_attn.k_proj"} - {48}
    assert linear | full == set(range(48))
    assert full == set(range(3, 48, 4))
    # The state: 32 heads of 128 x 128 in fp32, and 3 inputs of the convolution over 8192 features.
    assert record.linear_attention.state_bytes() == 32 * 128 * 128 * 4 + 3 * 8192 * 2


def test_an_output_gate_doubles_the_query_projection():
    record = model("qwen3.5-27b")
    query = next(t for t in tensors(record) if t.name == "self_attn.q_proj")
    output = next(t for t in tensors(record) if t.name == "self_attn.o_proj")
    assert (query.rows, output.cols) == (2 * 24 * 256, 24 * 256)


def test_an_indexer_is_counted():
    with_indexer, without = model("deepseek-v3.2"), model("deepseek-v3")
    one = 1536 * 64 * 128 + 7168 * 128 + 2 * 128 + 7168 * 64
    assert total_params(with_indexer) - total_params(without) == 62 * one


def _vit_params(hidden, ffn, layers, patch, positions, channels_in=3):
    """A vision transformer with biases, two LayerNorms a block, and learned positions."""
    block = 4 * hidden * hidden + 4 * hidden + 2 * hidden * ffn + ffn + hidden + 4 * hidden
    return layers * block + channels_in * patch**2 * hidden + hidden + positions * hidden


@pytest.mark.parametrize("name", ["gemma-3-4b", "gemma-3-12b", "gemma-3-27b"])
def test_vision_tower_of_gemma_3(name):
    record = model(name)
    tower = _vit_params(1152, 4304, 27, 14, (896 // 14) ** 2) + 2 * 1152
    projector = 1152 * record.hidden_size + 1152
    assert record.vision.params == tower + projector


def test_vision_tower_of_kimi_k2_5():
    tower = _vit_params(1152, 4304, 27, 14, 64 * 64) + 2 * 1152
    merged = 4 * 1152
    projector = 2 * 1152 + merged * merged + merged + merged * 7168 + 7168
    assert model("kimi-k2.5").vision.params == tower + projector


widths = st.integers(1, 12).map(lambda n: 64 * n)


@given(
    hidden=widths,
    ffn=widths,
    layers=st.integers(1, 6),
    heads=st.sampled_from([(8, 8), (8, 2), (8, 1)]),
    head_dim=st.sampled_from([32, 64, 128]),
    vocab=st.integers(100, 5000),
    tied=st.booleans(),
    gated=st.booleans(),
    experts=st.sampled_from([None, (4, 2, 0, 0, 1), (8, 1, 1, 1, 1), (4, 1, 0, 0, 2)]),
)
def test_any_architecture_counts_as_the_sum_of_its_matrices(
    hidden, ffn, layers, heads, head_dim, vocab, tied, gated, experts
):
    moe = None
    if experts is not None:
        n, used, shared, dense, every = experts
        moe = Moe(
            num_experts=n, experts_per_token=used, moe_intermediate_size=ffn,
            shared_experts=shared, first_dense_layers=dense, every=every,
        )  # fmt: skip
    record = Model(
        id="drawn", sources=("drawn",), hidden_size=hidden, intermediate_size=ffn,
        num_layers=layers, num_attention_heads=heads[0], num_key_value_heads=heads[1],
        head_dim=head_dim, vocab_size=vocab, tie_word_embeddings=tied, gated_mlp=gated, moe=moe,
        max_position_embeddings=1024,
    )  # fmt: skip
    mlp = (3 if gated else 2) * hidden * ffn
    expected = vocab * hidden * (1 if tied else 2) + hidden
    idle = 0
    for layer in range(layers):
        expected += 2 * hidden * head_dim * (heads[0] + heads[1]) + 2 * hidden
        if experts is not None and layer >= experts[3] and (layer + 1) % experts[4] == 0:
            expected += mlp * (experts[0] + experts[2]) + hidden * experts[0]
            idle += mlp * (experts[0] - experts[1])
        else:
            expected += mlp
    assert total_params(record) == expected == sum(t.count for t in tensors(record))
    assert active_params(record) == expected - idle
