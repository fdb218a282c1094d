"""Write catalogs/aliases.json: every name of a shipped record beyond its id, so that lookup reads one small file.

Run `python -m planner.catalog.aliases` after changing aliases or Hugging Face ids; a test compares.
"""

from __future__ import annotations

import json

from planner.catalog.located import read_aliases
from planner.catalog.lookup import INDEX, KINDS
from planner.catalog.paths import data_dir


def build_index() -> dict[str, dict[str, list[str]]]:
    """Names by folder and id, in the order of the file names."""
    root = data_dir("catalogs")
    index: dict[str, dict[str, list[str]]] = {}
    for folder in KINDS:
        names = {p.stem: list(read_aliases(p)) for p in sorted((root / folder).glob("*.yaml"))}
        index[folder] = {id_: found for id_, found in names.items() if found}
    return index


def render_index() -> str:
    """The index as it is stored: one record a line, so that changes read well."""
    parts = []
    for folder, names in build_index().items():
        lines = ",\n".join(f"  {json.dumps(i)}: {json.dumps(n)}" for i, n in names.items())
        parts.append(f"{json.dumps(folder)}: {{\n{lines}\n}}" if lines else f'"{folder}": {{}}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def main() -> None:
    """Write the index beside the records."""
    (data_dir("catalogs") / INDEX).write_text(render_index(), "utf-8")


if __name__ == "__main__":
    main()
