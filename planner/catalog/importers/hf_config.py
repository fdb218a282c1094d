"""A Hugging Face `config.json` as a `Model` record that counts to the parameters of the checkpoint."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import JsonValue, ValidationError

from planner.catalog.importers.hf_classic import CLASSIC
from planner.catalog.importers.hf_dense import DENSE
from planner.catalog.importers.hf_hybrid import HYBRID
from planner.catalog.importers.hf_moe import MIXTURES
from planner.catalog.importers.hf_multimodal import MULTIMODAL
from planner.catalog.importers.hf_reader import ConfigReader, Document, Family, Fields
from planner.catalog.importers.hf_recent import RECENT
from planner.catalog.importers.problems import problem, read_text, refuse
from planner.catalog.records import Model
from planner.diagnostics import DiagnosticError

FAMILIES: Final[Mapping[str, Family]] = {
    **DENSE,
    **RECENT,
    **MIXTURES,
    **CLASSIC,
    **MULTIMODAL,
    **HYBRID,
}
"""Every `model_type` that can be read."""

_DTYPES: Final = {
    "float32": "fp32", "float16": "fp16", "half": "fp16", "bfloat16": "bf16", "float": "fp32",
}  # fmt: skip
_HEADLESS: Final = re.compile(
    r"(?<!LMHead)Model$|ForSequenceClassification$|ForTokenClassification$"
)
"""Classes of transformers that hold a decoder without its output head."""
_WEIGHT_ONLY: Final = (
    "gptq",
    "awq",
    "compressed-tensors",
    "bitsandbytes",
    "aqlm",
    "quip",
    "hqq",
    "eetq",
    "marlin",
)


def load_config(path: Path, *, model_id: str = "") -> Model:
    """The model a `config.json` (or a directory that holds one) describes.

    Args:
        path: The file, or the directory of a checkpoint.
        model_id: Id of the record; by default the model's own name, else the directory's.

    Raises:
        DiagnosticError: The file cannot be read, is no config, or its architecture is unknown.
    """
    file = path / "config.json" if path.is_dir() else path
    return parse_config(
        read_text(file), file=str(file), model_id=model_id, fallback_id=file.resolve().parent.name
    )


def parse_config(
    text: str, *, file: str = "config.json", model_id: str = "", fallback_id: str = "imported"
) -> Model:
    """The model that the text of a `config.json` describes.

    >>> from planner.catalog.parameters import total_params
    >>> total_params(parse_config('{"model_type": "llama"}'))
    6738415616
    """
    try:
        values: JsonValue = json.loads(text)
    except json.JSONDecodeError as error:
        found = problem(
            "P005", f"not valid JSON: {error.msg}", file, line=error.lineno, column=error.colno
        )
        raise DiagnosticError([found]) from error
    except RecursionError as error:
        raise refuse("P005", "the JSON is nested too deeply", file) from error
    if not isinstance(values, dict):
        raise refuse("P005", "a config must be a JSON object", file)
    document = Document(file, text)
    family = _family(values, document)
    reader = ConfigReader(values, document, family.defaults, family.names)
    fields = family.build(reader)
    if not reader.problems:
        fields = {**_identity(values, model_id, fallback_id), **_precision(values), **fields}
        _drop_idle_window(fields)
        _drop_head(values, reader, fields)
        fields["notes"] = _notes(values, reader)
        fields["sources"] = (f"imported from {file}",)
    if reader.problems:
        raise DiagnosticError(sorted(reader.problems, key=lambda d: (d.span is None, d.span)))
    return _record(fields, file)


def _family(values: dict[str, JsonValue], document: Document) -> Family:
    """The family of a config's `model_type`, or the error that lists those that are known."""
    name = values.get("model_type")
    if not isinstance(name, str):
        line, column = document.place("model_type")
        hint = ("`model_type` names the architecture, such as `llama` or `qwen3_moe`",)
        message = "`model_type` is missing" if name is None else "`model_type` must be a text"
        found = problem("P103", message, document.file, line=line, column=column, help=hint)
        raise DiagnosticError([found])
    family = FAMILIES.get(name)
    if family is not None:
        return family
    line, column = document.place("model_type")
    near = difflib.get_close_matches(name, FAMILIES, 1)
    hints = [f"an architecture with a similar name is known: `{n}`" for n in near]
    hints.append("known architectures: " + ", ".join(sorted(FAMILIES)))
    found = problem(
        "P207",
        f"no architecture is known as `{name}`",
        document.file,
        line=line,
        column=column,
        width=len("model_type") + 2,
        label="its tensors cannot be counted",
        help=tuple(hints),
    )
    raise DiagnosticError([found])


def _drop_idle_window(fields: Fields) -> None:
    """A sliding window no shorter than the longest context cuts nothing off: full attention."""
    window, context = fields.get("sliding_window"), fields["max_position_embeddings"]
    if isinstance(window, int) and isinstance(context, int) and window >= context:
        fields["sliding_window"] = None
        fields["layer_pattern"] = ""


def _drop_head(values: Mapping[str, JsonValue], reader: ConfigReader, fields: Fields) -> None:
    """An embedding or scoring model of a decoder family is published without the output head."""
    names = [n for n in reader.items("architectures") if isinstance(n, str)]
    headless = names and all(_HEADLESS.search(name) for name in names)
    if (
        headless
        and fields.get("kind", "decoder") == "decoder"
        and values["model_type"] != "chatglm"
    ):
        fields["tie_word_embeddings"] = True
        fields["lm_head_bias"] = False


def _identity(values: Mapping[str, JsonValue], model_id: str, fallback_id: str) -> Fields:
    name = values.get("_name_or_path")
    hf_id = name if isinstance(name, str) and name.count("/") == 1 and name[0] not in "./~" else ""
    guess = hf_id.split("/")[-1] if hf_id else fallback_id
    chosen = model_id or guess.lower().replace(" ", "-") or "imported"
    return {"id": chosen, "hf_id": hf_id, "family": chosen, "confidence": "high"}


def _quantization(values: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    for scope in (values, values.get("text_config")):
        if isinstance(scope, dict):
            found = scope.get("quantization_config")
            if isinstance(found, dict):
                return found
    return {}


def _precision(values: Mapping[str, JsonValue]) -> Fields:
    """The type the weights are published in; without any, transformers reads them as fp32."""
    method = _quantization(values).get("quant_method")
    if method in ("fp8", "fbgemm_fp8"):
        return {"native_dtype": "fp8"}
    if method == "mxfp4":
        return {"native_dtype": "mxfp4"}
    for scope in (values, values.get("text_config")):
        if isinstance(scope, dict):
            for key in ("torch_dtype", "dtype"):
                name = scope.get(key)
                if isinstance(name, str) and name.removeprefix("torch.") in _DTYPES:
                    return {"native_dtype": _DTYPES[name.removeprefix("torch.")]}
    return {"native_dtype": "fp32"}


def _notes(values: Mapping[str, JsonValue], reader: ConfigReader) -> str:
    """What a reader of the record must know: defaults that were used, and a quantized checkpoint."""
    notes = []
    if reader.defaulted:
        names = ", ".join(dict.fromkeys(reader.defaulted))
        notes.append(f"not in the config, taken from the architecture's defaults: {names}")
    quantization = _quantization(values)
    method = quantization.get("quant_method")
    if isinstance(method, str) and any(method.startswith(m) for m in _WEIGHT_ONLY):
        bits = quantization.get("bits") or quantization.get("w_bit")
        size = f" ({bits} bit)" if bits else ""
        notes.append(
            f"this checkpoint is quantized with {method}{size}; the record describes the model"
        )
    return "; ".join(notes)


def _record(fields: Fields, file: str) -> Model:
    try:
        return Model.model_validate(fields)
    except ValidationError as error:
        found = [
            problem("P102", f"`{'.'.join(map(str, e['loc']))}`: {e['msg']}", file)
            for e in error.errors()
        ]
        raise DiagnosticError(found) from error
