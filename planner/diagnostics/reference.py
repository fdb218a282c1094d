"""The page of all diagnostic codes, generated from the registry."""

from __future__ import annotations

from planner.diagnostics.codes import CODES


def render_codes() -> str:
    """All codes as Markdown: what each means, an example, and the example put right."""
    lines: list[str] = []
    for name, code in CODES.items():
        lines += ["", f"## {name}: {code.title}", "", code.explanation]
        if code.example:
            lines += ["", "```yaml", code.example.rstrip(), "```", "", "Instead:", ""]
            lines += ["```yaml", code.instead.rstrip(), "```"]
    return "\n".join(lines).strip() + "\n"
