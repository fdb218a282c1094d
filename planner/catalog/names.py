"""Names as people type them: cut into words, so that spelling does not matter, and matched against ids and aliases.

`NVIDIA A100-SXM4-80GB`, `a100 sxm4 80g` and `A100_SXM4_80GB` are the same three words. A name matches a record when
each of its words is one of the record's; what it leaves out decides whether the match is certain.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from planner.diagnostics.similar import similar

How = Literal["id", "alias", "assumed"]

_NOISE: Final = frozenset(
    (
        *(
            "nvidia",
            "tesla",
            "geforce",
            "rtx",
            "amd",
            "instinct",
            "radeon",
            "intel",
            "google",
            "huawei",
        ),
        *("generation", "edition", "oam", "meta", "instruct", "chat", "it", "hf", "standard"),
    )
)
"""Words that tell no two records of one kind apart."""

_FORMATS: Final = frozenset(
    (
        *(
            "awq",
            "gptq",
            "bnb",
            "gguf",
            "mlx",
            "fp8",
            "nvfp4",
            "mxfp4",
            "nf4",
            "exl2",
            "w4a16",
            "w8a8",
        ),
        *("int4", "int8", "4bit", "8bit", "dynamic", "quantized"),
    )
)
"""Words that name a weight format: it belongs under `precision`, so such a name finds no record by itself."""

_FILLABLE: Final = frozenset(
    (
        *("pcie", "sxm", "sxm2", "sxm3", "sxm4", "sxm5", "sxm6"),
        *("aws", "gcp", "azure", "lambda", "oci", "onprem", "nebius", "runpod"),
    )
)
"""Words of an id that people leave out; so is a memory size."""

_GLUED: Final = (
    r"(?<=[0-9a-z])(?=(?:sxm\d?|pcie|nvl|super|ti)(?:super)?(?![a-z]))"  # h100sxm, 4070ti
    r"|(?<=\d{4})(?=(?:d|ada)(?![a-z]))|(?<=ti)(?=\d)|(?<=rtx)(?=[a-z0-9])"  # 4090d, 2080ti22g
    r"|(?<!sxm)(?<=[a-z]{3})(?=\d)"  # rtx4090, llama3.1
)
_SIZE: Final = r"^(\d+)(?:g|gb|gib)$"
_BASE: Final = r"(?<=.)[\s_\-]+base$"
_SEPARATORS: Final = r"[\s_\-/:,()]+"


@lru_cache(maxsize=8192)
def words(name: str) -> frozenset[str]:
    """The words that matter of a name, in lower case; `80g` and `80GiB` read `80gb`.

    >>> sorted(words("NVIDIA A100-SXM4-80GB"))
    ['80gb', 'a100', 'sxm4']
    >>> sorted(words("2080ti-22g"))
    ['2080', '22gb', 'ti']
    >>> sorted(words("meta-llama/Llama-3.1-8B-Instruct"))
    ['3.1', '8b', 'llama']
    """
    text = re.sub(_BASE, "", name.rsplit("/", 1)[-1].strip().lower())
    found = set()
    for chunk in re.split(_SEPARATORS, text):
        for word in re.split(_GLUED, chunk):
            if word and word not in _NOISE:
                size = re.match(_SIZE, word)
                found.add(f"{size[1]}gb" if size else word)
    return frozenset(found)


def _fillable(word: str) -> bool:
    return word in _FILLABLE or re.match(_SIZE, word) is not None


def _holds(record: frozenset[str], typed: frozenset[str]) -> bool:
    """Whether a record has every typed word; `sxm` stands for any of its generations."""
    rest = typed - record
    return not rest or (rest == {"sxm"} and any(word.startswith("sxm") for word in record))


class Match(NamedTuple):
    """What a typed name means: the id, how it was found, and the records it might have meant too."""

    id: str
    how: How
    others: tuple[str, ...] = ()
    """For an assumed match: records that fit the name as well, such as another form factor."""


def candidates(typed: str, ids: Iterable[str]) -> tuple[str, ...]:
    """Ids that a name may mean.

    Those it names in full; else those that only add a form factor, memory size or provider; else all that hold
    its words.

    >>> candidates("V100-32GB", ["v100-pcie-32gb", "v100-sxm2-32gb", "v100s-pcie-32gb"])
    ('v100-pcie-32gb', 'v100-sxm2-32gb')
    """
    wanted = words(typed)
    if not wanted:
        return ()
    holding = [(id_, words(id_)) for id_ in ids if _holds(words(id_), wanted)]
    same = tuple(id_ for id_, have in holding if have == wanted)
    if same:
        return same
    filled = tuple(id_ for id_, have in holding if all(map(_fillable, have - wanted)))
    return filled or tuple(id_ for id_, _ in holding)


def match(typed: str, ids: Iterable[str], aliases: Mapping[str, Iterable[str]]) -> list[Match]:
    """The record a name means (one match), all it may mean (several), or none.

    An alias wins over words of ids; if ids hold its words as well, the match is assumed and names them.

    >>> ids = ["a100-pcie-80gb", "a100-sxm4-80gb"]
    >>> match("A100-80G", ids, {"a100-sxm4-80gb": ["A100-80GB"]})
    [Match(id='a100-sxm4-80gb', how='assumed', others=('a100-pcie-80gb',))]
    """
    wanted = words(typed)
    by_words = candidates(typed, ids)
    named = [
        id_ for id_, names in aliases.items() if wanted and any(words(n) == wanted for n in names)
    ]
    if len(named) == 1:
        others = tuple(id_ for id_ in by_words if id_ != named[0])
        return [Match(named[0], "assumed" if others else "alias", others)]
    return [Match(id_, "alias") for id_ in (named or by_words)]


def nearest(
    typed: str,
    names: Iterable[str],
    count: int = 3,
    aliases: Mapping[str, Iterable[str]] | None = None,
) -> tuple[str, ...]:
    """The names most like a mistyped one; first the model of which the name is a quantized checkpoint.

    >>> nearest("Qwen/Qwen2.5-7B-Instruct-AWQ", ["qwen2.5-7b", "qwen2.5-72b", "qwen2-7b"], 2)
    ('qwen2.5-7b', 'qwen2.5-72b')
    """
    known = list(names)
    text = re.sub(_BASE, "", typed.rsplit("/", 1)[-1].strip().lower())
    plain = "-".join(w for w in re.split(_SEPARATORS, text) if w not in _FORMATS | _NOISE)
    exact = match(plain, known, aliases or {}) if plain != text else []
    close = similar(plain or text, known, count, 0.5)
    return tuple(dict.fromkeys([*(m.id for m in exact if len(exact) == 1), *close]))[:count]
