"""The registry of diagnostic codes: a code that is not in it cannot be raised.

P0xx file and syntax, P1xx shape of a field, P2xx cross-reference, P3xx infeasible, P4xx doubtful input (a warning),
P9xx a bug of planner.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """A registered code: what it means and what to do, for `planner explain CODE`."""

    title: str
    explanation: str = ""


CODES: dict[str, Code] = {
    "P001": Code("the file cannot be read"),
    "P002": Code("the file is not valid YAML"),
    "P003": Code("a key appears twice"),
    "P004": Code("a file that extends itself"),
    "P005": Code("the file is not of the expected format"),
    "P101": Code("unknown key"),
    "P102": Code("invalid value"),
    "P103": Code("missing key"),
    "P104": Code("a field that is not supported yet"),
    "P105": Code("a path that leads nowhere"),
    "P110": Code("unit missing or unknown"),
    "P201": Code("unknown model"),
    "P202": Code("unknown GPU"),
    "P203": Code("unknown node type"),
    "P204": Code("unknown engine or framework"),
    "P205": Code("a name is used twice"),
    "P206": Code("a name is ambiguous"),
    "P209": Code("unknown pool"),
    "P210": Code("values that contradict one another"),
    "P207": Code(
        "unknown model architecture",
        "The `model_type` of a config.json is none that planner can count tensor by tensor. Give the "
        "dimensions in the scenario, or a parameter count, which costs exactness.",
    ),
    "P208": Code("a checkpoint's shape that planner cannot describe"),
    "P301": Code("no plan exists"),
    "P302": Code("a workload has no option"),
    "P303": Code("nothing found within the limit"),
    "P401": Code("a price is old"),
    "P402": Code("a figure nobody could verify"),
    "P405": Code(
        "rows of an imported file were left out",
        "Each row that was not taken over is named with its line and the reason; nothing is dropped silently.",
    ),
    "P403": Code("tensor parallelism over PCIe"),
    "P404": Code("context above the model's own"),
    "P406": Code("a memory fraction above 0.95"),
    "P407": Code("a model's shape is assumed"),
    "P408": Code("a name is taken to mean one of several records"),
    "P409": Code("a node's memory for offloading is unknown"),
    "P411": Code("samples longer than a sequence"),
    "P410": Code("nodes that nothing can use"),
    "P901": Code("a bug of planner"),
    "P902": Code("the plan did not verify"),
}
