"""What a plan's figures take a node's drives to do, where a scenario gives only their size."""

from __future__ import annotations

from planner.plan import schema as plan

NVME_GB_S = 3.0
"""Sequential read of a node's NVMe where a size is given: one drive on four PCIe 4.0 lanes at half its rate."""


def with_drives(draft: plan.Plan) -> plan.Plan:
    """The plan with the bandwidth that its offload to NVMe counts on among its assumptions, where there is any."""
    parts = [a for w in draft.workloads for a in w.assignment if a.ledger.nvme_gib]
    if not parts:
        return draft
    names = ", ".join(f"`{p}`" for p in dict.fromkeys(a.pool for a in parts))
    text = (
        f"offload to NVMe on {names} counts on {NVME_GB_S:g} GB/s for all drives of a node together, as one "
        "drive reads: a scenario gives only their size"
    )
    return draft.model_copy(update={"assumptions": (*draft.assumptions, text)})
