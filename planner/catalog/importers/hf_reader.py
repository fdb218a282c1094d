"""Typed access to a Hugging Face `config.json`: values, defaults that were used, and located errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from pydantic import JsonValue

from planner.catalog.importers.problems import problem
from planner.diagnostics import Diagnostic

_MOST: Final = {"num_hidden_layers": 10_000}
_MOST_ANYWHERE: Final = 10**12
"""Sizes beyond these are typing errors: no published model comes near."""

Fields = dict[str, object]
"""Field names of a `Model` record with their values."""


@dataclass(frozen=True, slots=True)
class Document:
    """The file a config was read from; `text` is only used to find the line of a key."""

    file: str
    text: str

    def place(self, key: str) -> tuple[int, int]:
        """Line and column of a key's first appearance, (1, 1) where it does not appear."""
        match = re.search(rf'"{re.escape(key)}"\s*:', self.text)
        if match is None:
            return (1, 1)
        line = self.text.count("\n", 0, match.start()) + 1
        return (line, match.start() - self.text.rfind("\n", 0, match.start()))


@dataclass(slots=True)
class ConfigReader:
    """One object of a config; what is missing is taken from the family's defaults and noted."""

    values: Mapping[str, JsonValue]
    document: Document
    defaults: Mapping[str, JsonValue] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    """Usual key -> the key this family writes."""
    problems: list[Diagnostic] = field(default_factory=list)
    defaulted: list[str] = field(default_factory=list)

    def child(self, key: str, defaults: Mapping[str, JsonValue]) -> ConfigReader:
        """The nested object `key`; an absent one is all defaults. Problems are shared."""
        inner = self.values.get(key)
        if inner is None:
            inner = {}
        if not isinstance(inner, dict):
            self.complain("P102", key, f"`{key}` must be an object, found {inner!r}")
            inner = {}
        return ConfigReader(inner, self.document, defaults, {}, self.problems, self.defaulted)

    def complain(self, code: str, key: str, message: str, *, help: tuple[str, ...] = ()) -> None:
        """Note a problem at a key; the reading goes on, so that all problems come at once."""
        line, column = self.document.place(key)
        found = problem(
            code,
            message,
            self.document.file,
            line=line,
            column=column,
            width=len(key) + 2,
            help=help,
        )
        self.problems.append(found)

    def raw(self, key: str) -> JsonValue:
        """The value of a key, or its default; None where neither gives one."""
        name = self.names.get(key, key)
        for candidate in (name, key):
            if candidate in self.values:
                return self.values[candidate]
        if key in self.defaults:
            default = self.defaults[key]
            if default is not None and default is not False:
                self.defaulted.append(name)
            return default
        return None

    def has(self, key: str) -> bool:
        """Whether the config itself gives a value for a key."""
        return self.values.get(self.names.get(key, key), self.values.get(key)) is not None

    def optional(self, key: str) -> int | None:
        """A positive whole number, or None where the key is absent or null."""
        value = self.raw(key)
        if value is None:
            return None
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            name = self.names.get(key, key)
            self.complain("P102", name, f"`{name}` must be a whole number, found {value!r}")
            return 1
        if value > _MOST.get(key, _MOST_ANYWHERE):
            name = self.names.get(key, key)
            self.complain("P102", name, f"`{name}` is {value:,}, more than any model has")
            return 1
        return value

    def integer(self, key: str) -> int:
        """A whole number greater than zero that must be there, or have a default."""
        value = self.optional(key)
        name = self.names.get(key, key)
        if value is None:
            self.complain("P103", name, f"`{name}` is missing and this architecture has no default")
            return 1
        if value == 0:
            self.complain("P102", name, f"`{name}` must be greater than zero")
            return 1
        return value

    def flag(self, key: str) -> bool:
        """True or false; absent or null is false."""
        value = self.raw(key)
        if value is None or isinstance(value, bool):
            return bool(value)
        self.complain("P102", key, f"`{key}` must be true or false, found {value!r}")
        return False

    def string(self, key: str) -> str:
        """A text; absent or null is the empty one."""
        value = self.raw(key)
        if value is None or isinstance(value, str):
            return value or ""
        self.complain("P102", key, f"`{key}` must be a text, found {value!r}")
        return ""

    def items(self, key: str) -> list[JsonValue]:
        """A list; absent or null is the empty one."""
        value = self.raw(key)
        if value is None or isinstance(value, list):
            return list(value or [])
        self.complain("P102", key, f"`{key}` must be a list, found {value!r}")
        return []

    def integers(self, key: str) -> tuple[int, ...]:
        """A list of whole numbers; absent or null is the empty one."""
        found = [v for v in self.items(key) if isinstance(v, int) and not isinstance(v, bool)]
        if len(found) != len(self.items(key)):
            self.complain("P102", key, f"`{key}` must be a list of whole numbers")
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Family:
    """How the configs of one `model_type` are read.

    `defaults` are those of the configuration class in transformers 4.57.1 (of the model's own repository where
    transformers has none); `names` maps the usual key to the one this family writes.
    """

    build: Callable[[ConfigReader], Fields]
    defaults: Mapping[str, JsonValue] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)


def dimensions(c: ConfigReader) -> Fields:
    """The sizes every decoder has: width, layers, heads, vocabulary, context."""
    hidden, heads = c.integer("hidden_size"), c.integer("num_attention_heads")
    return {
        "hidden_size": hidden,
        "intermediate_size": c.integer("intermediate_size"),
        "num_layers": c.integer("num_hidden_layers"),
        "num_attention_heads": heads,
        "num_key_value_heads": c.optional("num_key_value_heads") or heads,
        "head_dim": c.optional("head_dim") or hidden // heads,
        "vocab_size": c.integer("vocab_size"),
        "max_position_embeddings": c.integer("max_position_embeddings"),
        "tie_word_embeddings": c.flag("tie_word_embeddings"),
    }


_LETTERS = {"full_attention": "F", "sliding_attention": "S", "chunked_attention": "C"}


def layer_pattern(c: ConfigReader, *, linear: bool = False) -> str:
    """One letter per layer from `layer_types`; empty where the config has none."""
    known = {**_LETTERS, "linear_attention": "L"} if linear else _LETTERS
    letters = []
    for kind in c.items("layer_types"):
        letter = known.get(str(kind))
        if letter is None:
            c.complain(
                "P208", "layer_types", f"layers of type `{kind}` are not described by the catalog"
            )
            return ""
        letters.append(letter)
    return "".join(letters)
