"""The infeasible scenarios we ship: each cause is found, its row named, and its repairs work when written down."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from planner.api import load, solve
from planner.plan.schema import Plan, Status
from planner.report.text import render_text

FOLDER = Path(__file__).resolve().parents[2] / "scenarios" / "infeasible"
CAUSES = {
    # cause: (reason code of the nearest rejection or "", row in the conflict or "", kinds of repairs)
    "memory": ("memory", "", {"model", "rent", "larger-node"}),
    "host-ram": ("host-ram", "", {"kind", "host-ram"}),
    "interconnect": ("interconnect", "assistant.interconnect.min", {"interconnect"}),
    "precision": ("capability", "code.precision", {"precision"}),
    "flash-attention": ("capability", "tune.attention", {"capability"}),
    "stock": ("", "box", {"nodes", "drop"}),
    "budget": ("", "limits.opex", {"opex", "drop"}),
    "power": ("", "limits.power", {"power", "rent"}),
    "deadline": ("deadline", "sft.deadline", {"deadline"}),
    "slo": ("latency", "chat.slo.tpot", {"slo"}),
    "fragmentation": ("", "quads", {"nodes", "drop"}),
}
_PLANS: dict[str, Plan] = {}


def plan_of(cause: str) -> Plan:
    if cause not in _PLANS:
        _PLANS[cause] = solve(load(FOLDER / f"{cause}.yaml"))
    return _PLANS[cause]


def test_there_is_a_scenario_for_every_cause() -> None:
    # `horizon` has causes in several periods, see tests/money.
    assert {p.stem for p in FOLDER.glob("*.yaml")} == {*CAUSES, "horizon"}


@pytest.mark.parametrize("cause", CAUSES)
def test_the_cause_is_named(cause: str) -> None:
    plan = plan_of(cause)
    reason, row, kinds = CAUSES[cause]
    assert plan.status is Status.INFEASIBLE
    assert plan.explanations[0].headline
    if reason:
        assert reason in {r.reason for r in plan.rejections}
    if row:
        assert row in {r.name for r in plan.conflict}
    assert kinds <= {r.kind for r in plan.repairs}


@pytest.mark.parametrize("cause", CAUSES)
def test_rows_of_a_conflict_point_at_lines_that_say_so(cause: str) -> None:
    lines = (FOLDER / f"{cause}.yaml").read_text("utf-8").splitlines()
    told = plan_of(cause).explanations[0]
    for row in told.conflict:
        assert row.line is not None
        nearby = " ".join(lines[max(0, row.line - 6) : row.line])
        assert row.name.split(".")[0] in nearby or row.name.split(".")[-1] in lines[row.line - 1]
    assert told.checked.startswith("minimal")


@pytest.mark.parametrize("cause", CAUSES)
def test_a_story_has_five_steps_at_most_and_fits_the_terminal(cause: str) -> None:
    told = plan_of(cause).explanations[0]
    if told.code == "P301":
        assert 1 + len(told.because) + bool(told.so) <= 5
    text = render_text(plan_of(cause), width=100)
    assert all(len(line) <= 100 for line in text.splitlines())
    assert text.startswith("error[")


@pytest.mark.parametrize("cause", CAUSES)
def test_repairs_are_sorted_by_price_and_give_up_last(cause: str) -> None:
    plan = plan_of(cause)
    own = [r for r in plan.repairs if r.workload == plan.explanations[0].workload]
    assert own
    assert all(r.verified and r.cost is not None for r in own)
    assert [r.kind == "drop" for r in own] == sorted(r.kind == "drop" for r in own)
    priced = [r.cost for r in own if r.kind not in ("drop", "nodes", "larger-node", "host-ram")]
    assert priced == sorted(priced)


EDITS = {
    # kind of repair: pattern of its text -> overrides of the file
    ("interconnect", "interconnect"): (
        r"min: (\d+) GB/s",
        "workloads.assistant.interconnect.min={} GB/s",
    ),
    ("precision", "precision"): (r"precision: ([\w-]+)", "workloads.code.precision={}"),
    ("flash-attention", "capability"): (r"attention: (\w+)", "workloads.tune.attention={}"),
    ("stock", "nodes"): (r"^(\d+) nodes", "inventory.box.owned.nodes={}"),
    ("fragmentation", "nodes"): (r"^(\d+) nodes", "inventory.quads.owned.nodes={}"),
    ("budget", "opex"): (r"opex: (\d+)", "limits.opex={} USD/month"),
    ("power", "power"): (r"power: ([\d.]+) kW", "limits.power={} kW"),
    ("deadline", "deadline"): (r"deadline: (\d+ [hd])", "workloads.sft.deadline={}"),
    ("slo", "slo"): (r"tpot: (\d+ ms)", "workloads.chat.slo.tpot={}"),
    ("host-ram", "host-ram"): (r"host_ram: (\d+) GiB", "inventory.desk.node.host_ram={} GiB"),
    ("memory", "larger-node"): (r"^(\d+) x", "inventory.desk.node.gpus={}"),
}


@pytest.mark.parametrize(("cause", "kind"), EDITS)
def test_a_repair_written_into_the_file_gives_the_plan_it_promises(cause: str, kind: str) -> None:
    fix = next(r for r in plan_of(cause).repairs if r.kind == kind)
    pattern, edit = EDITS[cause, kind]
    found = re.search(pattern, fix.change)
    assert found is not None, fix.change
    overrides = [edit.format(found[1])]
    if cause == "memory":
        # A node with twice the GPUs has host RAM in proportion.
        overrides.append("inventory.desk.node.host_ram=256 GiB")
    second = solve(load(FOLDER / f"{cause}.yaml", overrides))
    assert second.status is Status.PROVEN
    assert second.cost is not None
    assert second.cost.total == fix.cost


STEPS_BACK = {
    ("stock", "nodes"): -1, ("fragmentation", "nodes"): -1, ("budget", "opex"): -1,
    ("slo", "slo"): -1,
 ("deadline", "deadline"): -1, ("interconnect", "interconnect"): 1,
}  # fmt: skip


@pytest.mark.parametrize(("cause", "kind"), STEPS_BACK)
def test_one_step_less_does_not_work(cause: str, kind: str) -> None:
    fix = next(r for r in plan_of(cause).repairs if r.kind == kind)
    pattern, edit = EDITS[cause, kind]
    found = re.search(pattern, fix.change)
    assert found is not None
    value = re.sub(r"\d+", lambda m: str(int(m[0]) + STEPS_BACK[cause, kind]), found[1], count=1)
    second = solve(load(FOLDER / f"{cause}.yaml", [edit.format(value)]))
    assert second.status is Status.INFEASIBLE


def test_fragmentation_says_that_the_number_alone_would_do() -> None:
    so = plan_of("fragmentation").explanations[0].so
    parts = [int(n) for n in re.findall(r"\d+", so.split(" GPUs")[0])]
    assert sum(parts[:-1]) == parts[-1] == 8
    assert "stays in one node" in so


def test_what_can_be_had_is_told_with_its_gpus() -> None:
    plan = plan_of("stock")
    told = [w.name for w in plan.workloads if w.summary]
    assert len(told) == 2
    assert "drafts" not in told, "the lowest priority is the one left out"
