"""Colour for finished text: it only adds, so that the text without it is the same."""

from __future__ import annotations

import re
from typing import Final

_RULES: Final = (
    (re.compile(r"^ *(WORKLOAD|POOL|GPUS|TOTAL)\b.*$"), "1"),
    (re.compile(r"^(Speed|Why these GPUs|Defaults taken|Assumptions|Warnings)$"), "1"),
    (re.compile(r"^(error\[P\d{3}\]|Not served)"), "1;31"),
    (re.compile(r"^(help|note)(?=: )"), "1;36"),
    (re.compile(r"^(Proved cheapest)"), "1;32"),
    (re.compile(r"^(Best found)"), "1;33"),
    (re.compile(r"^(inference|lora|qlora|full) +fits\b"), "1;32"),
    (re.compile(r"(?<= \| ) *\^+"), "1;31"),
)
"""What is coloured on a line, and the SGR code; the first rule that applies wins."""


def paint(text: str, *, color: bool) -> str:
    r"""The text with headers bold and verdicts green or red; unchanged without colour.

    >>> paint("Proved cheapest: 1.00 USD", color=True)
    '\x1b[1;32mProved cheapest\x1b[0m: 1.00 USD'
    """
    return "\n".join(_line(line) for line in text.split("\n")) if color else text


def _line(line: str) -> str:
    for pattern, code in _RULES:
        found = pattern.search(line)
        if found:
            start, end = found.span()
            start += len(line[start:end]) - len(line[start:end].lstrip())
            return f"{line[:start]}\x1b[{code}m{line[start:end]}\x1b[0m{line[end:]}"
    return line
