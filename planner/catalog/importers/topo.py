"""The matrix of `nvidia-smi topo -m`: which GPUs are joined by how many NVLinks, which over PCIe or the CPU."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from planner.catalog.importers.problems import refuse

_ANSI: Final = re.compile(r"\x1b\[[0-9;]*m")
_HEADER: Final = re.compile(r"^\s+GPU\d+\b")
_LINKS: Final = frozenset(("X", "SYS", "NODE", "PHB", "PXB", "PIX", "OK", "NS", "N/A"))


@dataclass(frozen=True, slots=True)
class Topology:
    """NVLinks between pairs of GPUs; a pair that is absent has none."""

    gpus: tuple[int, ...]
    nvlinks: dict[tuple[int, int], int]
    """(GPU, GPU) -> number of NVLinks, in both orders."""
    worst: str
    """The longest way over PCIe between two GPUs: PIX, PXB, PHB, NODE or SYS; empty with one GPU."""

    def peers(self, gpu: int) -> tuple[int, ...]:
        """GPUs that a GPU reaches over NVLink directly."""
        return tuple(b for a, b in self.nvlinks if a == gpu)

    def domain(self, gpu: int) -> frozenset[int]:
        """GPUs that a GPU reaches over NVLink, itself included, also through others."""
        found, fresh = {gpu}, [gpu]
        while fresh:
            new = [p for p in self.peers(fresh.pop()) if p not in found]
            found.update(new)
            fresh += new
        return frozenset(found)


def has_topology(line: str) -> bool:
    r"""Whether a line is the header of the matrix.

    >>> has_topology("\tGPU0\tGPU1\tCPU Affinity"), has_topology("0, Tesla V100")
    (True, False)
    """
    return _HEADER.match(_ANSI.sub("", line)) is not None


def read_topology(text: str, file: str = "topo.txt", first_line: int = 1) -> Topology:
    """The matrix of `nvidia-smi topo -m`, wherever in the text it starts.

    Raises:
        DiagnosticError: There is no matrix, a row is short, or a cell is no link that nvidia-smi knows.
    """
    lines = [_ANSI.sub("", line) for line in text.splitlines()]
    start = next((i for i, line in enumerate(lines) if _HEADER.match(line)), None)
    if start is None:
        raise refuse("P005", "no matrix of `nvidia-smi topo -m`", file, line=first_line)
    columns = [int(name) for name in re.findall(r"\bGPU(\d+)\b", lines[start])]
    nvlinks: dict[tuple[int, int], int] = {}
    ways: set[str] = set()
    rows: list[int] = []
    for offset, line in enumerate(lines[start + 1 :], start + 1):
        match = re.match(r"^GPU(\d+)\s+(.*)$", line)
        if match is None:
            continue
        gpu, cells = int(match[1]), match[2].split()[: len(columns)]
        rows.append(gpu)
        if len(cells) < len(columns):
            message = f"GPU{gpu} has {len(cells)} cells of {len(columns)}"
            raise refuse("P005", message, file, line=first_line + offset)
        for other, cell in zip(columns, cells, strict=True):
            links = re.fullmatch(r"NV(\d+)", cell)
            if links is not None:
                nvlinks[(gpu, other)] = int(links[1])
            elif cell not in _LINKS:
                message = f"`{cell}` is no link of `nvidia-smi topo -m`"
                raise refuse("P005", message, file, line=first_line + offset)
            elif cell != "X":
                ways.add(cell)
    if sorted(rows) != sorted(columns):
        message = f"the matrix has columns for {len(columns)} GPUs and rows for {len(rows)}"
        raise refuse("P005", message, file, line=first_line + start)
    order = ("SYS", "NODE", "PHB", "PXB", "PIX")
    return Topology(tuple(rows), nvlinks, next((w for w in order if w in ways), ""))
