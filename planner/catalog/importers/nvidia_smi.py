"""The machine one has, from `nvidia-smi`: an `inventory` pool for a scenario.

Reads `nvidia-smi --query-gpu=index,name,memory.total,pcie.link.gen.max,pcie.link.width.current --format=csv` and,
in the same file or a second one, `nvidia-smi topo -m`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final, Literal

from planner.catalog.importers.csv_rows import Row, bad_cell, read_rows
from planner.catalog.importers.problems import Log, RowError, refuse
from planner.catalog.importers.topo import Topology, has_topology, read_topology
from planner.catalog.lookup import AmbiguousRecord, UnknownRecord, gpu, resolve
from planner.catalog.records import Gpu
from planner.diagnostics import DiagnosticError

QUERY: Final = "nvidia-smi --query-gpu=index,name,memory.total,pcie.link.gen.max,pcie.link.width.current --format=csv"
LINK_GB_S: Final = {
    "6.0": 40.0, "7.0": 50.0, "7.5": 50.0, "8.0": 50.0, "8.6": 28.125, "9.0": 50.0, "10.0": 100.0,
    "10.3": 100.0,
}  # fmt: skip
"""One NVLink, both directions, GB/s, by compute capability (NVIDIA's architecture white papers)."""
_DRIVER_TOLERANCE: Final = 0.08
"""memory.total of one SKU differs by driver and ECC (6 % on GDDR) up to this share; the next size is further."""

Links = Literal["nvswitch", "mesh", "bridge-pairs", "none"]


@dataclass(frozen=True, slots=True)
class SeenGpu:
    """One GPU that nvidia-smi lists."""

    index: int
    id: str
    memory_mib: int
    pcie_generation: int | None
    pcie_lanes: int | None


@dataclass(frozen=True, slots=True)
class Pool:
    """GPUs of one SKU in one machine, as the scenario's `inventory` describes them."""

    name: str
    gpu: str
    gpus: int
    nvlink_gb_s: float | None
    """Per GPU, both directions; None: not known, the catalog's figure holds."""
    topology: Links | None
    nvlink_domain: int
    pcie: str
    p2p: bool
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Machine:
    """The pools of one machine and what was left out."""

    pools: list[Pool]
    log: Log


def read_nvidia_smi(
    text: str, *, file: str = "nvidia-smi.csv", topology: str = "", topology_file: str = "topo.txt"
) -> Machine:
    """The pools that describe a machine.

    Args:
        text: Output of `nvidia-smi --query-gpu=... --format=csv`, and of `nvidia-smi topo -m` below it if any.
        file: Name of the file, for messages.
        topology: Output of `nvidia-smi topo -m` where it is a file of its own.
        topology_file: Its name.

    Raises:
        DiagnosticError: No GPU could be read, or the matrix is malformed.
    """
    table, matrix, line = _parts(text)
    log = Log(file)
    seen = _gpus(table, file, log)
    if not seen:
        found = log.diagnostics() or [*refuse("P005", "no GPU is listed", file).diagnostics]
        raise DiagnosticError(found)
    links = None
    if topology:
        links = read_topology(topology, topology_file)
    elif matrix:
        links = read_topology(matrix, file, line)
    by_id: dict[str, list[SeenGpu]] = {}
    for item in seen:
        by_id.setdefault(item.id, []).append(item)
    return Machine([_pool(group, links) for group in by_id.values()], log)


def _parts(text: str) -> tuple[str, str, int]:
    """The CSV, the matrix below it (or nothing), and the line the matrix starts on."""
    lines = text.splitlines(keepends=True)
    for index, line in enumerate(lines):
        if has_topology(line):
            return "".join(lines[:index]), "".join(lines[index:]), index + 1
    return text, "", 1


def _gpus(table: str, file: str, log: Log) -> list[SeenGpu]:
    lines = table.splitlines(keepends=True)
    if lines:
        # nvidia-smi writes units into the header, as in `memory.total [MiB]`, and a blank after each comma.
        lines[0] = re.sub(r"\s*\[[^\]]*\]", "", lines[0])
    found: list[SeenGpu] = []
    try:
        rows = list(read_rows("".join(lines), file, ("name", "memory.total")))
    except DiagnosticError as error:
        found_help = (f"make the file with: {QUERY}",)
        raise DiagnosticError([replace(d, help=found_help) for d in error.diagnostics]) from error
    for row in rows:
        log.rows += 1
        try:
            found.append(_seen(row, len(found)))
        except RowError as problem:
            log.skip(row.line, row.text("name") or "a row", str(problem))
    return found


def _seen(row: Row, position: int) -> SeenGpu:
    memory = _natural(row, "memory.total")
    if not memory:
        raise bad_cell("memory.total", row.text("memory.total"), "a size in MiB")
    index = _natural(row, "index")
    # The slot's width: `max` is often the card's own, whatever the slot is wired for.
    lanes = _natural(row, "pcie.link.width.current") or _natural(row, "pcie.link.width.max")
    return SeenGpu(
        position if index is None else index,
        match_gpu(row.text("name"), memory),
        memory,
        _natural(row, "pcie.link.gen.max"),
        lanes,
    )


def _natural(row: Row, column: str) -> int | None:
    """A whole number with or without its unit; None for an absent cell or `[N/A]`."""
    text = row.text(column)
    if not text or text.startswith("["):
        return None
    match = re.fullmatch(r"(\d+)(?:\.0+)?(?:\s*[A-Za-z/]+)?", text)
    if match is None:
        raise bad_cell(column, text, "a whole number")
    return int(match[1])


def match_gpu(name: str, memory_mib: int) -> str:
    """The catalog id of a GPU by the name and the memory.total that nvidia-smi prints.

    >>> match_gpu("NVIDIA GeForce RTX 2080 Ti", 22528)
    'rtx-2080-ti-22gb'
    >>> match_gpu("Tesla V100-SXM2-32GB", 32768)
    'v100-sxm2-32gb'
    """
    assumed = ""
    try:
        match = resolve("gpus", name)
        options = (match.id, *match.others)
        assumed = match.id
    except AmbiguousRecord as error:
        options = error.candidates
    except UnknownRecord as error:
        near = f"; the nearest are {', '.join(error.nearest)}" if error.nearest else ""
        raise RowError(f"no GPU of the catalog is called `{name}`{near}") from None
    fitting = [o for o in options if _memory_fits(gpu(o), memory_mib)]
    if assumed in fitting:
        return assumed
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise RowError(f"`{name}` with {memory_mib:,} MiB may be any of: {', '.join(fitting)}")
    sizes = ", ".join(f"{o} {_driver_mib(gpu(o)):,} MiB" for o in options)
    raise RowError(f"`{name}` with {memory_mib:,} MiB is none of the catalog's: {sizes}")


def _driver_mib(record: Gpu) -> int:
    return record.memory.driver_total_mib or round(record.memory.marketed_gb * 1024)


def _memory_fits(record: Gpu, memory_mib: int) -> bool:
    known = _driver_mib(record)
    return abs(memory_mib - known) <= _DRIVER_TOLERANCE * known


def _pool(group: list[SeenGpu], links: Topology | None) -> Pool:
    record = gpu(group[0].id)
    notes: list[str] = []
    members = [item.index for item in group]
    speed, kind, domain = _nvlink(record, members, links, notes)
    return Pool(
        name=f"{record.id}-box",
        gpu=record.id,
        gpus=len(group),
        nvlink_gb_s=speed,
        topology=kind,
        nvlink_domain=domain,
        pcie=_pcie(record, group, notes),
        p2p=record.pcie.p2p if record.pcie else True,
        notes=tuple(notes),
    )


def _nvlink(
    record: Gpu, members: list[int], links: Topology | None, notes: list[str]
) -> tuple[float | None, Links | None, int]:
    """GB/s per GPU, how the GPUs are joined, and the size of an NVLink domain."""
    if len(members) == 1:
        return 0.0, "none", 1
    if links is None:
        if record.nvlink.total_gb_s:
            notes.append(
                "no `nvidia-smi topo -m`: whether NVLink is there was not seen, add it with --topo"
            )
        return None, None, 1
    missing = [m for m in members if m not in links.gpus]
    if missing:
        notes.append(f"GPU {', '.join(map(str, missing))} not in the topology matrix")
    counts = {m: [links.nvlinks[(m, p)] for p in links.peers(m) if p in members] for m in members}
    bare = [m for m in members if not counts[m]]
    if bare:
        if len(bare) < len(members):
            listed = ", ".join(map(str, bare))
            notes.append(f"GPU {listed} has no NVLink while others do: planned as if none had")
        return 0.0, "none", 1
    link = LINK_GB_S.get(record.compute_capability or "")
    if link is None:
        notes.append(f"bandwidth of an NVLink of {record.id} is not known")
        return None, None, 1
    speed, kind = _joined(record, list(counts.values()), link)
    known = record.nvlink.total_gb_s
    if speed > known:
        notes.append(
            f"{speed:g} GB/s seen, {known:g} GB/s in the catalog: the lower one is written"
        )
    elif speed < known:
        notes.append(f"{speed:g} GB/s of the card's {known:g} GB/s are linked")
    domains = [len(links.domain(m) & set(members)) for m in members]
    return min(speed, known), kind, min(domains)


def _joined(record: Gpu, counts: list[list[int]], link_gb_s: float) -> tuple[float, Links]:
    """GB/s of the least linked GPU, and the kind of its links; `counts` holds each GPU's links per peer.

    Behind a switch each pair shows all the links of a GPU; in a mesh they are shared out among the peers.
    """
    most, summed = min(max(c) for c in counts) * link_gb_s, min(sum(c) for c in counts) * link_gb_s
    pairs = all(len(c) == 1 for c in counts)
    if summed > record.nvlink.total_gb_s * 1.001 or (
        pairs and record.nvlink.topology == "nvswitch"
    ):
        return most, "nvswitch"
    return summed, "bridge-pairs" if pairs else "mesh"


def _pcie(record: Gpu, group: list[SeenGpu], notes: list[str]) -> str:
    """The slowest link of the group, such as `gen3 x8`; empty where nvidia-smi gave none."""
    generations = [g.pcie_generation for g in group if g.pcie_generation]
    lanes = [g.pcie_lanes for g in group if g.pcie_lanes]
    if not generations or not lanes:
        return ""
    if len(set(generations)) > 1 or len(set(lanes)) > 1:
        notes.append("PCIe links differ between the GPUs: the slowest is written")
    generation, width = min(generations), min(lanes)
    if record.pcie is not None:
        if width < record.pcie.lanes:
            notes.append(
                f"x{width} of the card's x{record.pcie.lanes} lanes; an idle card may show fewer"
            )
        generation = min(generation, record.pcie.generation)
        width = min(width, record.pcie.lanes)
    return f"gen{generation} x{width}"


def inventory_yaml(machine: Machine, sources: list[str]) -> str:
    """The `inventory` part of a scenario that describes the machine, ready to paste."""
    lines = [f"# The machine seen in {' and '.join(sources)}", "inventory:"]
    for pool in machine.pools:
        node = [f"gpus: {pool.gpus}"]
        if pool.nvlink_gb_s:
            node.append(f"nvlink: {pool.nvlink_gb_s:g} GB/s")
        if pool.topology:
            node.append(f"topology: {pool.topology}")
        if pool.nvlink_gb_s and pool.nvlink_domain != pool.gpus:
            node.append(f"nvlink_domain: {pool.nvlink_domain}")
        if pool.pcie:
            node.append(f"pcie: {pool.pcie}")
        if not pool.p2p:
            node.append("p2p: false")
        lines += [f"  # {note}" for note in pool.notes]
        lines.append(
            "  # nvidia-smi does not see host_ram, nvme and network: add them where you offload"
        )
        lines.append(f"  - pool: {pool.name}")
        lines.append(f"    gpu: {pool.gpu}")
        lines.append(f"    node: {{{', '.join(node)}}}")
        lines.append("    owned: {nodes: 1}")
    return "\n".join(lines) + "\n"
