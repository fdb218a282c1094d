"""Parameters of the vision towers in front of multimodal decoders, tensor by tensor."""

from __future__ import annotations

from typing import Final

from pydantic import JsonValue

from planner.catalog.importers.hf_reader import ConfigReader, Fields

SIGLIP: Final[dict[str, JsonValue]] = {
    "hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12,
    "num_attention_heads": 12, "num_channels": 3, "image_size": 224, "patch_size": 16,
}  # fmt: skip
PIXTRAL: Final[dict[str, JsonValue]] = {
    "hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24,
    "num_attention_heads": 16, "num_channels": 3, "image_size": 1024, "patch_size": 16,
}  # fmt: skip
LLAMA4: Final[dict[str, JsonValue]] = {
    "hidden_size": 768, "num_hidden_layers": 34, "num_attention_heads": 16, "num_channels": 3,
    "intermediate_size": 5632, "vision_output_dim": 7680, "image_size": 448, "patch_size": 14,
    "projector_input_dim": 4096, "projector_output_dim": 4096,
}  # fmt: skip
MLLAMA: Final[dict[str, JsonValue]] = {
    "hidden_size": 1280, "num_hidden_layers": 32, "num_global_layers": 8,
    "num_attention_heads": 16, "num_channels": 3, "intermediate_size": 5120,
    "vision_output_dim": 7680, "image_size": 448, "patch_size": 14, "max_num_tiles": 4,
}  # fmt: skip
QWEN2_VL: Final[dict[str, JsonValue]] = {
    "depth": 32, "embed_dim": 1280, "hidden_size": 3584, "mlp_ratio": 4, "num_heads": 16,
    "in_channels": 3, "patch_size": 14, "spatial_merge_size": 2, "temporal_patch_size": 2,
}  # fmt: skip
QWEN25_VL: Final[dict[str, JsonValue]] = {
    "depth": 32, "hidden_size": 3584, "intermediate_size": 3420, "num_heads": 16, "in_channels": 3,
    "patch_size": 14, "spatial_merge_size": 2, "temporal_patch_size": 2, "out_hidden_size": 3584,
}  # fmt: skip

QWEN3_VL: Final[dict[str, JsonValue]] = {
    "depth": 27, "hidden_size": 1152, "intermediate_size": 4304, "num_heads": 16, "in_channels": 3,
    "patch_size": 16, "spatial_merge_size": 2, "temporal_patch_size": 2, "out_hidden_size": 3584,
    "num_position_embeddings": 2304, "deepstack_visual_indexes": [8, 16, 24],
}  # fmt: skip
MOONVIT: Final[dict[str, JsonValue]] = {
    "depth": 27, "hidden_size": 1152, "intermediate_size": 4304, "num_heads": 16, "in_channels": 3,
    "patch_size": 14, "spatial_merge_size": 2, "init_pos_emb_height": 64, "init_pos_emb_width": 64,
}  # fmt: skip


def linear(inputs: int, outputs: int, *, bias: bool = True) -> int:
    """Elements of a linear layer.

    >>> linear(3, 4), linear(3, 4, bias=False)
    (16, 12)
    """
    return inputs * outputs + (outputs if bias else 0)


def _block(width: int, inner: int, *, attention_bias: bool = True) -> int:
    """A vision transformer layer: four projections, two feed-forward matrices, two LayerNorms."""
    attention = 4 * linear(width, width, bias=attention_bias)
    return attention + linear(width, inner) + linear(inner, width) + 4 * width


def _shape(c: ConfigReader, kind: str, params: int) -> Fields:
    return {
        "type": kind,
        "params": params,
        "hidden_size": c.integer("hidden_size"),
        "num_layers": c.integer("num_hidden_layers"),
        "num_heads": c.integer("num_attention_heads"),
        "intermediate_size": c.integer("intermediate_size"),
        "patch_size": c.integer("patch_size"),
        "image_size": c.integer("image_size"),
        "params_source": "counted from vision_config",
    }


def siglip(c: ConfigReader, text_width: int) -> Fields:
    """SigLIP with Gemma 3's projector: patches and positions, layers, a last norm, a norm and a matrix."""
    width, patch = c.integer("hidden_size"), c.integer("patch_size")
    patches = (c.integer("image_size") // patch) ** 2
    embed = linear(c.integer("num_channels") * patch**2, width) + patches * width
    layers = c.integer("num_hidden_layers") * _block(width, c.integer("intermediate_size"))
    projector = width + width * text_width
    return _shape(c, "SigLIP", embed + layers + 2 * width + projector)


def pixtral(c: ConfigReader, text_width: int, merge: int, *, bias: bool) -> Fields:
    """Pixtral with Mistral 3's projector: RMS norms, gated feed-forward, patches merged `merge` square."""
    width, inner = c.integer("hidden_size"), c.integer("intermediate_size")
    patch = linear(c.integer("num_channels") * c.integer("patch_size") ** 2, width, bias=False)
    block = 4 * width * width + 3 * width * inner + 2 * width
    layers = c.integer("num_hidden_layers") * block
    projector = (
        width
        + width * merge**2 * width
        + linear(width, text_width, bias=bias)
        + linear(text_width, text_width, bias=bias)
    )
    return _shape(c, "Pixtral ViT", patch + width + layers + projector)


def llama4(c: ConfigReader, text_width: int) -> Fields:
    """Llama 4: class and position embeddings, layers, two norms, a pixel-shuffle adapter, a projector."""
    width, inner, patch = (
        c.integer("hidden_size"), c.integer("intermediate_size"), c.integer("patch_size"),
    )  # fmt: skip
    patches = (c.integer("image_size") // patch) ** 2 + 1
    embed = c.integer("num_channels") * patch**2 * width + width + patches * width
    layers = c.integer("num_hidden_layers") * _block(width, inner)
    middle, out = c.integer("projector_input_dim"), c.integer("projector_output_dim")
    adapter = inner * middle + out * out
    projector = c.integer("vision_output_dim") * text_width
    return _shape(c, "Llama 4 ViT", embed + layers + 4 * width + adapter + projector)


def aspect_ratios(tiles: int) -> int:
    """Arrangements of at most `tiles` tiles in a rectangle.

    >>> aspect_ratios(4)
    8
    """
    return sum(tiles // columns for columns in range(1, tiles + 1))


def mllama(c: ConfigReader, text_width: int) -> Fields:
    """Llama 3.2 Vision: tiles with aspect-ratio embeddings, local and gated global layers, a projector."""
    width, inner, patch = (
        c.integer("hidden_size"), c.integer("intermediate_size"), c.integer("patch_size"),
    )  # fmt: skip
    tiles, out = c.integer("max_num_tiles"), c.integer("vision_output_dim")
    patches = (c.integer("image_size") // patch) ** 2 + 1
    ratios = aspect_ratios(tiles) + 1
    embed = c.integer("num_channels") * patch**2 * width + width
    positions = 1 + patches * width + ratios * tiles * patches * width
    tile_positions = 2 * (1 + ratios * tiles * width)
    block = _block(width, inner, attention_bias=False)
    local, whole = c.integer("num_hidden_layers"), c.integer("num_global_layers")
    layers = local * block + whole * (block + 2)
    projector = linear(out, text_width)
    params = embed + positions + tile_positions + 4 * width + layers + projector
    return {
        **_shape(c, "mllama ViT", params),
        "num_global_layers": whole,
        "max_tiles": tiles,
        "output_dim": out,
        "tokens_per_tile": patches,
    }


def _qwen_shape(c: ConfigReader, kind: str, width: int, inner: int, params: int) -> Fields:
    return {
        "type": kind,
        "params": params,
        "hidden_size": width,
        "num_layers": c.integer("depth"),
        "num_heads": c.integer("num_heads"),
        "intermediate_size": inner,
        "patch_size": c.integer("patch_size"),
        "params_source": "counted from vision_config",
    }


def _qwen_patch(c: ConfigReader, width: int) -> int:
    return (
        c.integer("in_channels") * c.integer("temporal_patch_size") * c.integer("patch_size") ** 2
    ) * width


def _qwen_merger(c: ConfigReader, width: int, out: int) -> int:
    merged = width * c.integer("spatial_merge_size") ** 2
    return linear(merged, merged) + linear(merged, out)


def qwen2_vl(c: ConfigReader, _text_width: int) -> Fields:
    """Qwen2-VL: LayerNorm, plain feed-forward; `hidden_size` is the width it hands to the text model."""
    width, out = c.integer("embed_dim"), c.integer("hidden_size")
    inner = width * c.integer("mlp_ratio")
    layers = c.integer("depth") * _block(width, inner)
    params = _qwen_patch(c, width) + layers + 2 * width + _qwen_merger(c, width, out)
    return _qwen_shape(c, "Qwen2-VL ViT", width, inner, params)


def qwen25_vl(c: ConfigReader, _text_width: int) -> Fields:
    """Qwen2.5-VL: RMS norm, gated feed-forward with biases."""
    width, inner = c.integer("hidden_size"), c.integer("intermediate_size")
    attention = linear(width, 3 * width) + linear(width, width)
    block = attention + 2 * linear(width, inner) + linear(inner, width) + 2 * width
    layers = c.integer("depth") * block
    merger = width + _qwen_merger(c, width, c.integer("out_hidden_size"))
    return _qwen_shape(c, "Qwen2.5-VL ViT", width, inner, _qwen_patch(c, width) + layers + merger)


def qwen3_vl(c: ConfigReader, _text_width: int) -> Fields:
    """Qwen3-VL: learned positions, LayerNorm, and a merger of its own for each tapped layer."""
    width, inner = c.integer("hidden_size"), c.integer("intermediate_size")
    embed = _qwen_patch(c, width) + width + c.integer("num_position_embeddings") * width
    merger = _qwen_merger(c, width, c.integer("out_hidden_size"))
    merged = width * c.integer("spatial_merge_size") ** 2
    taps = len(c.items("deepstack_visual_indexes"))
    mergers = 2 * width + merger + taps * (2 * merged + merger)
    params = embed + c.integer("depth") * _block(width, inner) + mergers
    return _qwen_shape(c, "Qwen3-VL ViT", width, inner, params)


def moonvit(c: ConfigReader, text_width: int) -> Fields:
    """MoonViT of Kimi: a grid of learned positions, LayerNorm, patches merged two by two."""
    width, inner = c.integer("hidden_size"), c.integer("intermediate_size")
    patch = linear(c.integer("in_channels") * c.integer("patch_size") ** 2, width)
    grid = c.integer("init_pos_emb_height") * c.integer("init_pos_emb_width") * width
    layers = c.integer("depth") * _block(width, inner) + 2 * width
    projector = 2 * width + _qwen_merger(c, width, text_width)
    return _qwen_shape(c, "MoonViT", width, inner, patch + grid + layers + projector)
