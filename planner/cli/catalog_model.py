"""`planner catalog show` of a model."""

from __future__ import annotations

from planner.catalog.records import Model
from planner.cli.catalog_facts import ModelFacts, attention_words, model_facts, pattern_words
from planner.cli.catalog_page import Page, page_of, provenance
from planner.cli.catalog_table import billions


def show_model(record: Model, width: int) -> Page:
    """A model: parameters by part, what a token costs, its shape."""
    page, facts = page_of(record, width), model_facts(record)
    page.title(
        f"{record.id}: {record.hf_id or 'no public id'} ({record.kind}, {record.native_dtype})"
    )
    page.block("Parameters, counted tensor by tensor", _counts(record, facts))
    _costs(page, record, facts)
    _shape(page, record)
    page.text("Also called", [", ".join(record.aliases)])
    provenance(page, record)
    return page


def _counts(record: Model, facts: ModelFacts) -> list[tuple[str, str]]:
    published = record.published_params
    check = "no published count to compare with"
    if published:
        same = published == facts.total
        check = (
            "as published"
            if same
            else f"published: {published:,} ({published / facts.total - 1:+.3%})"
        )
    lines = [("total", f"{facts.total:>19,}  {billions(facts.total)}, {check}")]
    if facts.active != facts.total:
        lines.append(("active per text token", f"{facts.active:>19,}  {billions(facts.active)}"))
    parts = facts.parts.items()
    return lines + [(name, f"{count:>19,}  {count / facts.total:6.1%}") for name, count in parts]


def _costs(page: Page, record: Model, facts: ModelFacts) -> None:
    per_token = facts.kv_bytes_per_token
    cache = f"{per_token:,} bytes per token at 16 bit" if per_token else ""
    if facts.window_bytes_per_token:
        bytes_ = facts.window_bytes_per_token
        extra = f"{bytes_:,} bytes per token within the window of {record.sliding_window:,}"
        cache = f"{cache} without end, and {extra}" if cache else extra
    page.block(
        "Size",
        [
            (
                "16-bit weights",
                f"{facts.disk_bytes / 1e9:,.1f} GB = {facts.disk_bytes / 2**30:,.1f} GiB",
            ),
            (
                "published as",
                record.native_dtype + ("" if record.fp16_ok else "; overflows in fp16"),
            ),
            ("KV cache", cache or "none"),
            ("state", _state(facts)),
            ("longest context", f"{record.max_position_embeddings:,} tokens"),
        ],
    )


def _state(facts: ModelFacts) -> str:
    size = facts.state_bytes_per_sequence
    return f"{size / 2**20:,.1f} MiB per sequence, whatever its length" if size else ""


def _shape(page: Page, record: Model) -> None:
    layers = f"{record.num_layers} of width {record.hidden_size:,}"
    heads = attention_words(record)
    wide = f"{record.intermediate_size:,} wide, {'gated' if record.gated_mlp else 'not gated'}"
    tied = ", tied to the output head" if record.tie_word_embeddings else ""
    qk_norm = (
        f", on query and key {record.qk_norm.replace('_', ' ')}" if record.qk_norm != "none" else ""
    )
    encoder = f"{record.encoder_layers} layers, {record.num_mel_bins} mel bins"
    page.block(
        "Architecture",
        [
            ("layers", page.mark(layers, "num_layers", "hidden_size")),
            ("attention", page.mark(heads, "num_attention_heads", "num_key_value_heads", "mla")),
            ("reach", pattern_words(record)),
            ("feed-forward", page.mark(wide, "intermediate_size")),
            ("experts", page.mark(_experts(record), "moe", "num_experts", "moe_intermediate_size")),
            ("vocabulary", page.mark(f"{record.vocab_size:,}{tied}", "vocab_size")),
            ("norms", f"{record.norm}, {record.norms_per_layer} a layer{qk_norm}"),
            ("biases", _biases(record)),
            ("encoder", encoder if record.encoder_layers else ""),
            ("vision tower", page.mark(_tower(record), "vision")),
            ("MTP layers", str(record.mtp_layers or "")),
        ],
    )


def _experts(record: Model) -> str:
    moe = record.moe
    if moe is None:
        return ""
    shared = f", {moe.shared_experts} shared" if moe.shared_experts else ""
    dense = f", first {moe.first_dense_layers} layers dense" if moe.first_dense_layers else ""
    every = f", in one layer of {moe.every}" if moe.every > 1 else ""
    width, used = moe.moe_intermediate_size, moe.experts_per_token
    return f"{moe.num_experts} of width {width:,}, {used} per token{shared}{dense}{every}"


def _tower(record: Model) -> str:
    vision = record.vision
    if vision is None:
        return ""
    depth = f", {vision.num_layers} layers" if vision.num_layers else ""
    width = f" of width {vision.hidden_size:,}" if vision.hidden_size else ""
    return f"{vision.type}{depth}{width}, {vision.params:,} parameters with projector"


def _biases(record: Model) -> str:
    named = {"qkv": "query, key and value", "all": "all of attention", "none": ""}[
        record.attention_bias
    ]
    found = [
        named,
        "feed-forward" if record.mlp_bias else "",
        "output head" if record.lm_head_bias else "",
    ]
    return ", ".join(part for part in found if part)
