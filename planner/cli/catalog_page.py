"""A page of `planner catalog show`: headings, labelled values, and marks on what nobody could verify."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from planner.catalog.records import Sourced
from planner.cli.catalog_table import pairs, paragraph

UNVERIFIED: Final = " (unverified)"
UNKNOWN: Final = "not known"


@dataclass(slots=True)
class Page:
    """A page of text under construction, and the figures behind it."""

    width: int
    unverified: frozenset[str] = frozenset()
    parts: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def title(self, text: str) -> None:
        """The first line."""
        self.parts.append(textwrap.fill(text, self.width, subsequent_indent="  ") + "\n")

    def block(self, heading: str, items: Iterable[tuple[str, str]]) -> None:
        """A heading with labelled values; nothing where all values are empty."""
        body = pairs(items, self.width)
        if body:
            self.parts.append(f"\n{heading}\n{body}")

    def text(self, heading: str, lines: Iterable[str]) -> None:
        """A heading with paragraphs; nothing where there are none."""
        body = "".join(paragraph(line, self.width) for line in lines if line)
        if body:
            self.parts.append(f"\n{heading}\n{body}")

    def mark(self, value: str, *names: str) -> str:
        """The value, marked where one of the fields it comes from is unverified."""
        known = {*names, *(name.split(".")[0] for name in names)}
        doubtful = "all" in self.unverified or known & self.unverified
        return value + UNVERIFIED if doubtful and value not in ("", UNKNOWN) else value

    def render(self) -> str:
        """The whole page."""
        return "".join(self.parts)


def page_of(record: Sourced, width: int) -> Page:
    """An empty page that knows which fields of the record nobody verified."""
    return Page(width, frozenset(name.split(":")[0] for name in record.unverified_fields))


def provenance(page: Page, record: Sourced) -> None:
    """Notes, confidence, unverified fields and sources: the foot of every page."""
    page.text("Notes", [record.notes])
    page.block(
        "Provenance",
        [
            ("confidence", record.confidence),
            ("unverified", ", ".join(record.unverified_fields)),
            *(("source", text) for text in record.sources),
        ],
    )
