"""A config.json read into a record counts to the parameters of the published checkpoint."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.catalog import model
from planner.catalog.importers.hf_config import FAMILIES, load_config, parse_config
from planner.catalog.importers.hf_vision import aspect_ratios
from planner.catalog.parameters import active_params, total_params
from planner.catalog.records import Model
from planner.diagnostics import DiagnosticError

SAMPLES = Path(__file__).parent / "samples" / "hf_configs.json"
CONFIGS: dict[str, dict] = json.loads(SAMPLES.read_text("utf-8"))

# Falcon's checkpoints hold an output head that transformers and vLLM tie to the embedding and never load.
STORED_HEAD = {"falcon-7b", "falcon-40b"}

SHAPE = [
    "kind", "hidden_size", "intermediate_size", "num_layers", "num_attention_heads",
    "num_key_value_heads", "head_dim", "vocab_size", "attention_bias", "gated_mlp", "mlp_bias",
    "norm", "norms_per_layer", "qk_norm", "lm_head_bias", "embedding_norm", "learned_positions",
    "type_vocab_size", "attention_sinks", "cross_attention_layers", "mla", "moe", "mtp_layers",
    "encoder_layers", "num_mel_bins", "extra_params", "native_dtype",
]  # fmt: skip


def read(name: str) -> Model:
    return parse_config(json.dumps(CONFIGS[name]["config"]), model_id=name)


@pytest.mark.parametrize("name", CONFIGS)
def test_counts_as_the_catalog_does(name):
    imported, known = read(name), model(name)
    expected = total_params(known)
    if name in STORED_HEAD:
        expected -= known.vocab_size * known.hidden_size
    assert total_params(imported) == expected
    if name not in STORED_HEAD:
        assert active_params(imported) == active_params(known)


@pytest.mark.parametrize("name", CONFIGS)
def test_describes_the_same_architecture(name):
    imported, known = read(name), model(name)
    # With latent attention the width of a plain head means nothing.
    shape = [f for f in SHAPE if not (f == "head_dim" and known.mla)]
    assert {f: getattr(imported, f) for f in shape} == {f: getattr(known, f) for f in shape}


@pytest.mark.parametrize(
    "name",
    [
        "gemma-2-9b",
        "gemma-3-27b",
        "gpt-oss-20b",
        "llama-4-scout-17b-16e",
        "gemma-3-1b",
        "exaone-4.0-32b",
        "olmo-3-7b",
        "command-a-111b",
    ],
)
def test_layer_patterns(name):
    imported, known = read(name), model(name)
    assert imported.attention_kinds == known.attention_kinds
    assert imported.sliding_window == known.sliding_window


@pytest.mark.parametrize(
    "name",
    [
        "llama-4-scout-17b-16e", "gemma-3-4b", "gemma-3-27b", "llama-3.2-11b-vision",
        "llama-3.2-90b-vision", "qwen2.5-vl-7b", "qwen2.5-vl-72b", "qwen2-vl-7b", "qwen3-vl-8b",
        "qwen3-vl-30b-a3b", "kimi-k2.5", "mistral-small-3.1-24b", "qwen3.5-397b-a17b",
    ],
)  # fmt: skip
def test_vision_towers_count_exactly(name):
    imported, known = read(name).vision, model(name).vision
    assert imported is not None
    assert known is not None
    assert imported.params == known.params


def test_every_family_reads_its_defaults_into_a_record_that_counts():
    # These have no default for the number of experts per token or for their sizes: the config must give them.
    incomplete = {
        "deepseek_v2", "dots1", "exaone", "glm_moe_dsa", "glm4_moe_lite", "qwen3_5", "qwen3_5_text",
        "qwen3_5_moe", "qwen3_5_moe_text",
    }  # fmt: skip
    for name in FAMILIES.keys() - incomplete:
        assert total_params(parse_config(json.dumps({"model_type": name}))) > 0, name
    for name in incomplete:
        assert {d.code for d in failure(json.dumps({"model_type": name}))} == {"P103"}, name


def test_defaults_that_were_used_are_named():
    assert "intermediate_size" in parse_config('{"model_type": "llama"}').notes
    full = read("qwen3-8b")
    assert full.notes == ""


def test_quantized_checkpoint_describes_the_model_and_says_so():
    config = dict(CONFIGS["llama-65b"]["config"])
    config["quantization_config"] = {"quant_method": "gptq", "bits": 4}
    imported = parse_config(json.dumps(config))
    assert imported.native_dtype == "fp16"
    assert "gptq (4 bit)" in imported.notes


def test_window_longer_than_the_context_is_full_attention():
    assert read("phi-4-mini").attention_kinds == "F" * 32
    assert read("mistral-7b-v0.1").attention_kinds == "S" * 32


def test_upper_layers_of_qwen_slide_only_when_switched_on():
    config = dict(CONFIGS["qwen2.5-7b"]["config"], max_window_layers=20, sliding_window=4096)
    assert "S" not in parse_config(json.dumps(config)).attention_kinds
    config["use_sliding_window"] = True
    assert parse_config(json.dumps(config)).attention_kinds == "F" * 20 + "S" * 8


@pytest.mark.parametrize(
    ("architecture", "has_head"),
    [("LlamaForCausalLM", True), ("LlamaModel", False), ("LlamaForSequenceClassification", False)],
)
def test_classes_without_an_output_head(architecture, has_head):
    found = parse_config(json.dumps({"model_type": "llama", "architectures": [architecture]}))
    head = found.vocab_size * found.hidden_size
    assert total_params(found) == 6738415616 - (0 if has_head else head)


def test_directory_gives_the_id(tmp_path):
    folder = tmp_path / "My-Model"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "llama"}', "utf-8")
    assert load_config(folder).id == "my-model"
    assert load_config(folder, model_id="ours").id == "ours"


def failure(text: str):
    with pytest.raises(DiagnosticError) as caught:
        parse_config(text, file="config.json")
    return caught.value.diagnostics


def test_unknown_architecture_names_the_known_ones():
    (found,) = failure('{\n  "vocab_size": 5,\n  "model_type": "mamba2"\n}')
    assert (found.code, found.span.line, found.span.column) == ("P207", 3, 3)
    assert "qwen3_moe" in " ".join(found.help)


def test_near_miss_is_named_first():
    (found,) = failure('{"model_type": "qwen3moe"}')
    assert found.help[0].endswith("`qwen3_moe`")


def test_all_problems_are_reported_at_their_lines():
    text = '{\n"model_type": "llama",\n"hidden_size": "big",\n"num_hidden_layers": -1\n}'
    found = failure(text)
    assert [(d.code, d.span.line) for d in found] == [("P102", 3), ("P102", 4)]


def test_unknown_layer_type_is_refused():
    config = dict(CONFIGS["qwen3-8b"]["config"], layer_types=["linear_attention"] * 36)
    assert failure(json.dumps(config))[0].code == "P208"


@pytest.mark.parametrize("text", ["", "[1, 2]", "{", '{"model_type": 7}', '{"hidden_size": 5}'])
def test_not_a_config(text):
    assert failure(text)[0].code in {"P005", "P103"}


@pytest.mark.parametrize(("tiles", "ratios"), [(1, 1), (2, 3), (4, 8), (6, 14)])
def test_aspect_ratios(tiles, ratios):
    assert aspect_ratios(tiles) == ratios
    pairs = [(w, h) for w in range(1, tiles + 1) for h in range(1, tiles + 1) if w * h <= tiles]
    assert ratios == len(pairs)


RUBBISH = [
    None, True, 0, -1, 3, 10**30, 2.5, 1e308, "", "7", "fp9", [], ["x"], [3, None], {}, {"a": 1},
    {"hidden_size": {}}, {"depth": "x"}, {"quant_method": 4},
]  # fmt: skip
KEYS = ["hidden_size", "num_hidden_layers", "vocab_size", "head_dim", "text_config", "vision_config",
        "layer_types", "quantization_config", "torch_dtype", "sliding_window", "attn_config",
        "tie_word_embeddings", "cross_attention_layers", "_name_or_path"]  # fmt: skip


@given(
    st.sampled_from(sorted(FAMILIES)),
    st.dictionaries(st.sampled_from(KEYS), st.sampled_from(RUBBISH), max_size=4),
)
def test_rubbish_gives_a_record_or_coded_errors(family, values):
    problems = []
    try:
        parse_config(json.dumps({"model_type": family, **values}))
    except DiagnosticError as error:
        problems = error.diagnostics
        found = len(problems)
    else:
        found = None
    assert found != 0
    assert all(d.span is not None for d in problems)
