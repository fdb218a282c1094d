"""The reference page of the scenario file, generated from the schema."""

from __future__ import annotations

from collections.abc import Iterable

from planner.scenario.describe import FieldDoc, all_docs
from planner.scenario.schema_base import KINDS
from planner.scenario.unsupported import UNSUPPORTED


def render_reference() -> str:
    """All fields as Markdown tables, one for each mapping."""
    groups: dict[str, list[FieldDoc]] = {}
    for doc in all_docs():
        groups.setdefault(doc.path.rpartition(".")[0], []).append(doc)
    lines: list[str] = []
    for parent, docs in groups.items():
        lines += ["", f"## `{parent}`" if parent else "## Top level", ""]
        lines += ["| key | takes | default | meaning |", "|---|---|---|---|"]
        lines += [_row(doc) for doc in docs]
    lines += ["", "## Not supported yet", ""]
    lines += ["What the format has and planner refuses for now, with what to write instead:", ""]
    lines += [f"- `{u.path}`: {u.what}; {u.instead}." for u in UNSUPPORTED]
    return "\n".join(lines).strip() + "\n"


def _row(doc: FieldDoc) -> str:
    key = f"`{doc.path.rpartition('.')[2]}`"
    default = "required" if doc.required else (f"`{doc.default}`" if doc.default else "")
    meaning = doc.description + _kinds(doc.kinds)
    if doc.example and not doc.keys:
        meaning += f" Example: `{doc.example}`."
    return "| " + " | ".join(_cell(c) for c in (key, doc.type, default, meaning)) + " |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _kinds(kinds: Iterable[str]) -> str:
    kinds = tuple(kinds)
    if not kinds or set(kinds) == set(KINDS):
        return ""
    return f" ({', '.join(kinds)})"
