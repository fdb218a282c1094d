"""What a page of README or docs holds: commands with the exit code it states, files it writes, Python, links."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_FENCE = re.compile(
    r"(?:<!-- file: (?P<file>\S+) -->\n)?^```(?P<language>\w*)\n(?P<body>.*?)^```", re.M | re.S
)
_EXIT = re.compile(r"\s+# exit code (\d+)$")
_LINK = re.compile(r"(?<!\!)\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Step:
    """One thing to do: write a file, run a command, run Python."""

    kind: str
    text: str
    name: str = ""
    exit: int = 0


def steps_of(page: Path) -> list[Step]:
    """All steps of a page, in order; installing and testing are what CI does before."""
    found = []
    for match in _FENCE.finditer(page.read_text("utf-8")):
        if match["file"]:
            found.append(Step("file", match["body"], match["file"]))
        elif match["language"] == "python":
            found.append(Step("python", match["body"]))
        elif match["language"] == "console":
            for line in match["body"].splitlines():
                assert line.startswith("$ "), f"{page.name}: {line}"
                command = line[2:]
                stated = _EXIT.search(command)
                command = _EXIT.sub("", command)
                command = re.sub(r"^pip install \S+ && (?=planner )", "", command)
                if not command.startswith("pip "):
                    found.append(Step("run", command, exit=int(stated[1]) if stated else 0))
    return found


def links_of(page: Path) -> list[str]:
    """Targets of the relative links of a page, without the anchor."""
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.M | re.S)
    return [t for t in _LINK.findall(text) if "://" not in t and not t.startswith("mailto:")]
