"""A scenario with everything looked up: pools with their GPU and node facts, workloads with their model."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from planner.catalog.records import Fabric, Gpu, Model, PcieLink
from planner.diagnostics import Diagnostic, Span
from planner.scenario.located import Located
from planner.scenario.paths import key_span, parse_path, span_of
from planner.scenario.schema_base import Kind, Topology
from planner.scenario.schema_file import ScenarioFile, WorkloadSpec
from planner.scenario.schema_supply import Pool
from planner.units import MONTH_S


class NodeFacts(NamedTuple):
    """One node of a pool, complete: the scenario's words over the node type's over the GPU's."""

    type: str
    """Id of the node type, empty for a node described in the scenario."""
    gpus: int
    nvlink_gb_s: float
    """Of one GPU, both directions summed; 0 without NVLink."""
    nvlink_domain: int
    """GPUs that reach one another over NVLink; 1 without, may exceed `gpus`."""
    topology: Topology
    fabric: Fabric | None
    """A scale-up fabric other than NVLink."""
    pcie: PcieLink | None
    host_ram_bytes: int | None
    """Host RAM that workloads may use (0.97 of the label, less 16 GiB); None where unknown."""
    nvme_bytes: int | None
    network_gb_s: float
    """All ports of the node together, one direction; 0 where unknown."""
    network_kind: str
    power_w: Fraction | None
    """At full load; None where only the GPUs' TDP is known."""
    rack_units: int | None = None
    """Rack units it takes; None where the scenario does not say."""


class RentTerm(NamedTuple):
    """One way to rent a node, in the scenario's currency; in the first period where values are given for each."""

    price_per_node_hour: Decimal
    max_nodes: int | None
    path: str
    source: str = ""
    as_of: str = ""


class ResolvedPool(NamedTuple):
    """A pool with its GPU and node; `spec` is what the user wrote."""

    spec: Pool
    path: str
    """Such as `inventory[0]`."""
    gpu: Gpu
    node: NodeFacts
    owned_nodes: int
    available_nodes: int
    """Owned nodes that workloads may use now, `spare_nodes` still included."""
    rent: tuple[RentTerm, ...]

    @property
    def name(self) -> str:
        """Name of the pool."""
        return self.spec.pool


class ResolvedWorkload(NamedTuple):
    """A workload with its model; `spec` is what the user wrote."""

    spec: WorkloadSpec
    path: str
    """Such as `workloads[2]`."""
    model: Model

    @property
    def name(self) -> str:
        """Name of the workload."""
        return self.spec.name

    @property
    def kind(self) -> Kind:
        """Kind of the workload."""
        return self.spec.kind


class Default(NamedTuple):
    """A value the user did not write: its path and the value taken, as text."""

    path: str
    value: str


@dataclass(frozen=True)
class Scenario:
    """A scenario, checked and resolved against the catalog."""

    spec: ScenarioFile
    pools: tuple[ResolvedPool, ...]
    workloads: tuple[ResolvedWorkload, ...]
    defaults: tuple[Default, ...]
    """Values that were filled in, so that the output can star them."""
    warnings: tuple[Diagnostic, ...]
    file: str
    """Name of the file as given, `<stdin>` for standard input."""
    sources: Mapping[str, str]
    """Texts by file name, for rendering."""
    root: Located = field(repr=False)

    @property
    def name(self) -> str:
        """Name of the scenario."""
        return self.spec.scenario

    @property
    def horizon_s(self) -> Fraction:
        """Length of the horizon in seconds; a month of 730 hours in a steady state."""
        return self.spec.horizon.length if self.spec.horizon else Fraction(MONTH_S)

    @property
    def digest(self) -> str:
        """Hash of all texts the scenario was read from, wherever the files lie."""
        joined = "\0".join(sorted(self.sources.values()))
        return hashlib.sha256(joined.encode()).hexdigest()[:16]

    def span(self, path: str) -> Span:
        """Place of a value such as `workloads[2].demand`, or of the nearest value above it."""
        return span_of(self.root, parse_path(path))

    def key_span(self, path: str) -> Span:
        """Place of a key instead of its value."""
        return key_span(self.root, parse_path(path))

    def pool(self, name: str) -> ResolvedPool:
        """The pool of that name; KeyError if there is none."""
        return self._pools_by_name[name]

    def workload(self, name: str) -> ResolvedWorkload:
        """The workload of that name; KeyError if there is none."""
        return self._workloads_by_name[name]

    @cached_property
    def _pools_by_name(self) -> Mapping[str, ResolvedPool]:
        return {p.name: p for p in self.pools}

    @cached_property
    def _workloads_by_name(self) -> Mapping[str, ResolvedWorkload]:
        return {w.name: w for w in self.workloads}
