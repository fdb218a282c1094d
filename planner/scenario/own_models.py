"""Models declared in the scenario: from a config.json, from dimensions, or, with a warning, from a parameter count."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pydantic import ValidationError

from planner.catalog import model as catalog_model
from planner.catalog.records import Model
from planner.diagnostics import Diagnostic, DiagnosticError, Severity, Span
from planner.scenario.key_messages import missing_key
from planner.scenario.located import Located
from planner.scenario.paths import key_span, span_of
from planner.scenario.schema_file import OwnModel

REQUIRED: Final = (
    "hidden_size",
    "intermediate_size",
    "num_layers",
    "num_attention_heads",
    "vocab_size",
)
"""Dimensions without which a model cannot be counted."""
UNLIMITED: Final = 2**31 - 1
"""Stands for a longest context that nobody stated."""
_NOT_DIMENSIONS: Final = ("base", "config", "params")


class OwnModels:
    """Records of the scenario's own models, and the problems found on the way."""

    def __init__(self) -> None:
        """Nothing is found yet."""
        self.records: dict[str, Model] = {}
        self.problems: list[Diagnostic] = []


def resolve_own_models(specs: dict[str, OwnModel], root: Located, folder: Path) -> OwnModels:
    """A catalog record for each model the scenario declares."""
    found = OwnModels()
    for name, spec in specs.items():
        try:
            record = _resolve(name, spec, root, folder, found.problems)
        except DiagnosticError as error:
            found.problems += error.diagnostics
        else:
            found.records[name] = record
    return found


def _resolve(
    name: str, spec: OwnModel, root: Located, folder: Path, problems: list[Diagnostic]
) -> Model:
    steps = ["models", name]
    dimensions = {
        key: getattr(spec, key)
        for key in spec.model_fields_set
        if key not in _NOT_DIMENSIONS and getattr(spec, key) is not None
    }
    sources = [key for key in ("base", "config") if getattr(spec, key) is not None]
    if len(sources) == 2:
        span = key_span(root, [*steps, "config"])
        raise DiagnosticError(
            [
                _problem(
                    "P210", f"`{name}` has both `base` and `config`", span, "keep one of the two"
                )
            ]
        )
    if spec.config is not None:
        record = _from_config(name, folder / spec.config, span_of(root, [*steps, "config"]))
    elif spec.base is not None:
        record = catalog_model(spec.base)
    elif spec.params is not None and not dimensions:
        record = assumed_shape(name, spec.params)
        problems.append(_assumed(name, record, span_of(root, [*steps, "params"])))
        return record
    else:
        return _from_dimensions(name, dimensions, root)
    return record.model_copy(update={"id": name, **dimensions})


def _problem(code: str, message: str, span: Span, *help_lines: str) -> Diagnostic:
    severity = Severity.WARNING if code.startswith("P4") else Severity.ERROR
    return Diagnostic(code, severity, message, span, help=help_lines)


def _from_config(name: str, path: Path, span: Span) -> Model:
    from planner.catalog.importers.hf_config import load_config

    if not path.exists():
        raise DiagnosticError(
            [
                _problem(
                    "P001", f"`{path}` does not exist", span, "the path is relative to the scenario"
                )
            ]
        )
    return load_config(path, model_id=name)


def _from_dimensions(name: str, dimensions: dict[str, object], root: Located) -> Model:
    steps = ["models", name]
    missing = [key for key in REQUIRED if key not in dimensions]
    if missing:
        raise DiagnosticError([missing_key([*steps, key], root) for key in missing])
    heads, hidden = dimensions["num_attention_heads"], dimensions["hidden_size"]
    assert isinstance(heads, int)
    assert isinstance(hidden, int)
    if "head_dim" not in dimensions and hidden % heads:
        span = span_of(root, [*steps, "num_attention_heads"])
        message = f"{hidden} is no multiple of {heads} heads"
        raise DiagnosticError([_problem("P210", message, span, "give `head_dim`")])
    try:
        return Model.model_validate(
            {
                "id": name,
                "sources": ("scenario",),
                "num_key_value_heads": heads,
                "head_dim": hidden // heads,
                "max_position_embeddings": UNLIMITED,
                **{k: getattr(v, "model_dump", lambda v=v: v)() for k, v in dimensions.items()},
            }
        )
    except ValidationError as error:
        message = "; ".join(str(e["msg"]) for e in error.errors())
        raise DiagnosticError([_problem("P102", message, span_of(root, steps))]) from None


def assumed_shape(name: str, params: int) -> Model:
    """A dense Llama-like model of about `params` parameters.

    Heads of 128, eight key-value heads, a gated MLP of 3.5 times the width, a vocabulary of 128,256, and about
    128 of width per layer, the proportions of Llama 3; the number of layers then meets the count.

    >>> from planner.catalog.parameters import total_params
    >>> round(total_params(assumed_shape("x", 8_000_000_000)) / 8e9, 2)
    1.0
    """
    vocabulary, best, best_error = 128_256, None, float("inf")
    for width in range(1024, 32_768 + 1, 1024):
        per_layer = 2 * width * width + 2 * width * 8 * 128 + 3 * width * (7 * width // 2)
        layers = max(1, round((params - 2 * vocabulary * width) / per_layer))
        error = abs(params - 2 * vocabulary * width - layers * per_layer) / params
        error += abs(layers - width / 128) / (width / 128)
        if error < best_error:
            best, best_error = (width, layers), error
    assert best is not None
    width, layers = best
    return Model(
        id=name,
        sources=("assumed from a parameter count",),
        confidence="low",
        hidden_size=width,
        intermediate_size=7 * width // 2,
        num_layers=layers,
        num_attention_heads=width // 128,
        num_key_value_heads=8,
        head_dim=128,
        vocab_size=vocabulary,
        max_position_embeddings=UNLIMITED,
        published_params=params,
    )


def _assumed(name: str, record: Model, span: Span) -> Diagnostic:
    return _problem(
        "P407",
        f"the shape of `{name}` is assumed: {record.num_layers} layers of width {record.hidden_size}, "
        f"{record.num_attention_heads} heads, {record.num_key_value_heads} key-value heads",
        span,
        "give `config: ./config.json` or the dimensions for exact figures",
    )
