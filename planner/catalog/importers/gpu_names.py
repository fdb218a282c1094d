"""GPU names of clouds and price lists as catalog ids.

A cloud's `A100` is a different card on each: the provider, the instance name and the memory per GPU decide. What
stays ambiguous is refused with the candidates; a memory size that contradicts the card is refused as well.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from planner.catalog.importers.problems import RowError
from planner.catalog.lookup import AmbiguousRecord, UnknownRecord, gpu, resolve


@dataclass(frozen=True, slots=True)
class Rule:
    """What a name means on one provider, for instance names that match."""

    provider: str
    name: str
    instance: str
    id: str


_RULES: Final = (
    Rule("azure", r"V100|V100-16GB", r"", "v100-pcie-16gb"),
    Rule("azure", r"V100-32GB", r"ND40", "v100-sxm2-32gb"),
    Rule("azure", r"P100", r"", "p100-pcie-16gb"),
    Rule("azure", r"A100-80GB", r"^Standard_NC", "a100-pcie-80gb"),
    Rule("azure", r"A100-80GB", r"^Standard_ND", "a100-sxm4-80gb"),
    Rule("azure", r"A100|A100-40GB", r"^Standard_ND", "a100-sxm4-40gb"),
    Rule("azure", r"H100.*", r"^Standard_NC", "h100-nvl-94gb"),
    Rule("azure", r"H100", r"^Standard_ND", "h100-sxm5-80gb"),
    Rule("aws|gcp|lambda|nebius|oci", r"V100|V100-16GB", r"", "v100-sxm2-16gb"),
    Rule("aws|gcp|oci", r"V100-32GB", r"", "v100-sxm2-32gb"),
    Rule("gcp", r"P100", r"", "p100-pcie-16gb"),
    Rule("aws|gcp|oci", r"A100|A100-40GB", r"", "a100-sxm4-40gb"),
    Rule("aws|gcp|oci|nebius", r"A100-80GB", r"", "a100-sxm4-80gb"),
    Rule("aws|gcp|oci|nebius", r"H100|H100-80GB|H100-MEGA-80GB", r"", "h100-sxm5-80gb"),
    Rule("gcp", r"H200-141GB", r"", "h200-sxm"),
    Rule("lambda", r"A100-80GB|H100", r"pcie", "{}-pcie-80gb"),
    Rule("lambda", r"A100|A100-40GB", r"sxm4|_8x_", "a100-sxm4-40gb"),
    Rule("lambda", r"A100|A100-40GB", r"", "a100-pcie-40gb"),
    Rule("lambda", r"A100-80GB", r"sxm4|_8x_", "a100-sxm4-80gb"),
    Rule("lambda", r"H100", r"sxm5|_8x_", "h100-sxm5-80gb"),
    Rule("runpod", r"A100-80GB", r"", "a100-pcie-80gb"),
    Rule("runpod", r"H100|H100-80GB", r"", "h100-pcie-80gb"),
    Rule("", r"RTX6000", r"", "quadro-rtx-6000"),
    Rule("aws|gcp|azure|oci", r"RTXPRO6000|RTX-PRO-6000", r"", "rtx-pro-6000-blackwell-server"),
)
"""First match wins; an empty provider stands for all. `{}` is the name before its first dash."""

AZURE_A10_PARTS: Final = {6: (1, 6), 12: (1, 3), 18: (1, 2)}
"""vCPUs of an Azure NVads_A10_v5 that holds only a part of an A10, which the price lists count as one GPU."""


def gpu_id(name: str, *, provider: str, instance: str = "", memory_gb: float | None = None) -> str:
    """The catalog id a price list's GPU name means.

    >>> gpu_id("A100-80GB", provider="azure", instance="Standard_NC24ads_A100_v4")
    'a100-pcie-80gb'
    >>> gpu_id("A100", provider="gcp", memory_gb=80)
    'a100-sxm4-80gb'
    >>> gpu_id("H100", provider="nebius", instance="gpu-h100-sxm_8gpu-128vcpu-1600gb")
    'h100-sxm5-80gb'
    """
    found = _by_rule(name, provider, instance, memory_gb) or _by_words(name, instance, memory_gb)
    size = gpu(found).memory.marketed_gb
    if memory_gb is not None and not _same_size(size, memory_gb):
        raise RowError(f"`{name}` with {memory_gb:g} GB is no {found}, which has {size:g} GB")
    return found


def _same_size(marketed_gb: float, listed_gb: float) -> bool:
    """Whether a listed size is that of a card, GB or GiB: lists round and mix the two.

    >>> _same_size(80, 80), _same_size(180, 179.06), _same_size(40, 80)
    (True, True, False)
    """
    return abs(marketed_gb - listed_gb) <= 0.09 * marketed_gb


def _by_rule(name: str, provider: str, instance: str, memory_gb: float | None) -> str | None:
    sized = f"{name}-{memory_gb:g}GB" if memory_gb is not None else name
    for spelling in dict.fromkeys((name, sized)):
        for rule in _RULES:
            if (
                (not rule.provider or provider in rule.provider.split("|"))
                and re.fullmatch(rule.name, spelling, re.IGNORECASE)
                and re.search(rule.instance, instance, re.IGNORECASE)
            ):
                found = rule.id.format(name.split("-")[0].lower())
                if memory_gb is None or _same_size(gpu(found).memory.marketed_gb, memory_gb):
                    return found
    return None


def _by_words(name: str, instance: str, memory_gb: float | None) -> str:
    """By the catalog's own names; memory size and form factor settle what several cards share."""
    try:
        match = resolve("gpus", name)
        if match.how != "assumed":
            return match.id
        options = (match.id, *match.others)
    except AmbiguousRecord as error:
        options = error.candidates
    except UnknownRecord:
        raise RowError(f"no GPU of the catalog is called `{name}`") from None
    if memory_gb is not None:
        options = tuple(o for o in options if _same_size(gpu(o).memory.marketed_gb, memory_gb))
    form = re.search(r"sxm|pcie|nvl", instance, re.IGNORECASE)
    if form is not None and len(options) > 1:
        options = tuple(o for o in options if form[0].lower() in o)
    if len(options) != 1:
        listed = ", ".join(options) or "none of that memory size"
        raise RowError(f"`{name}` may be any of: {listed}")
    return options[0]


def part_of_gpu(provider: str, instance: str, vcpus: float | None) -> tuple[int, int] | None:
    """The part of an A10 that a small Azure instance holds, which price lists call one GPU.

    >>> part_of_gpu("azure", "Standard_NV6ads_A10_v5", 6.0)
    (1, 6)
    """
    if provider == "azure" and re.search(r"_NV\d+ad[m]?s_A10_v5", instance) and vcpus is not None:
        return AZURE_A10_PARTS.get(int(vcpus))
    return None
