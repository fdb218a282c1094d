"""A plan that offloads to NVMe says which bandwidth it counts on."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner import api

HERE = Path(__file__).resolve().parents[1]
YEAR = "horizon={start: 2026-10-01, length: 6 months, period: 1 quarter}"


@pytest.mark.parametrize("overrides", [[], [YEAR]])
def test_only_offload_to_nvme_is_told_of(overrides: list[str]) -> None:
    file = HERE / "verify" / "scenarios" / "offload.yaml"
    plan = api.solve(api.load(file, [*overrides, "workloads.sft.offload={optimizer: nvme}"]))
    used = {a.pool for w in plan.workloads for a in w.assignment if a.ledger.nvme_gib}
    told = [text for text in plan.assumptions if "3 GB/s for all drives" in text]
    assert used
    assert len(told) == 1
    assert all(f"`{pool}`" in told[0] for pool in used)


def test_without_such_offload_nothing_is_said() -> None:
    plan = api.solve(api.load(HERE / "verify" / "scenarios" / "services.yaml"))
    assert not any("drives of a node" in text for text in plan.assumptions)
