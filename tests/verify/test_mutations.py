"""One thing changed in a solved plan is found, by the check that is there for it."""

import math
from dataclasses import dataclass
from decimal import Decimal

import pytest

from tests.verify.edit import Edit, Json, as_json, both, cents, get, plan_of, problems_after, put


@dataclass(frozen=True)
class Mutation:
    """A change of the plan of a scenario and the check that must notice."""

    what: str
    scenario: str
    edit: Edit
    check: str


def _first(workload: str, key: str, value: Json) -> Edit:
    return put(f"workloads.{workload}.assignment.0.{key}", value)


def _drop(path: str, number: int) -> Edit:
    return lambda data: get(data, path).pop(number)


def _same_gpu(data: Json) -> None:
    """Two replicas on one GPU."""
    places = get(data, "workloads.chat.assignment.0.placement")
    places[1].update(node=places[0]["node"], gpus=places[0]["gpus"])


def _move_to(workload: str, pool: str, gpu: str) -> Edit:
    return both(_first(workload, "pool", pool), _first(workload, "gpu", gpu))


def _more_money(data: Json) -> None:
    """A total raised consistently: workload, pool and sums all agree, only the prices do not."""
    for path in (
        "cost.total", "cost.services", "cost.periods.0.cost", "bound", "pools.box.cost",
        "workloads.chat.cost", "workloads.chat.assignment.0.cost",
    ):  # fmt: skip
        put(path, cents(500))(data)


def _fewer_replicas(data: Json) -> None:
    """One replica of chat removed everywhere, counts included."""
    part = get(data, "workloads.chat.assignment.0")
    part["placement"].pop()
    part["replicas"] -= 1
    part["gpus"] -= 1
    row = get(data, "pools.box")
    row["used_gpus"] -= 1


MUTATIONS = [
    Mutation("less busy", "services", _first("chat", "busy", lambda old: old - 1), "demand"),
    Mutation("idle job", "jobs", _first("sft", "busy", 0), "demand"),
    Mutation("status", "services", put("status", "unknown"), "structure"),
    Mutation("scenario name", "services", put("scenario", "other"), "structure"),
    Mutation("currency", "services", put("cost.currency", "EUR"), "structure"),
    Mutation("no cost", "services", put("cost", None), "structure"),
    Mutation("workload dropped", "services", _drop("workloads", 0), "structure"),
    Mutation("workload twice", "services", lambda d: d["workloads"].append(d["workloads"][0]), "structure"),
    Mutation("workload renamed", "services", put("workloads.chat.name", "chit"), "structure"),
    Mutation("kind", "services", put("workloads.chat.kind", "batch"), "structure"),
    Mutation("model", "services", put("workloads.chat.model", "llama-3.3-70b"), "structure"),
    Mutation("team", "services", put("workloads.chat.team", "research"), "structure"),
    Mutation("pool row dropped", "services", _drop("pools", 1), "structure"),
    Mutation("unknown pool", "services", _first("chat", "pool", "bux"), "structure"),
    Mutation("GPU of the pool", "services", _first("chat", "gpu", "h100-sxm5-80gb"), "structure"),
    Mutation("unknown term", "services", _first("chat", "term", "rented"), "structure"),
    Mutation("service for the run", "services", _first("big", "term", "rented for the run"), "structure"),
    Mutation("GPU-hour nodes for the run", "jobs", _first("tune", "term", "rented for the run"), "structure"),
    Mutation("unknown engine", "services", _first("chat", "layout.engine", "nosuch"), "structure"),
    Mutation("tp 0", "services", _first("chat", "layout.tp", 0), "structure"),
    Mutation("no replicas", "services", _first("chat", "replicas", 0), "structure"),
    Mutation("ZeRO in serving", "services", _first("chat", "layout.zero", 3), "structure"),
    Mutation("micro-batch 0", "offload", _first("sft", "layout.micro_batch", 0), "structure"),
    Mutation("pool not listed", "services", _move_to("chat", "pair", "a100-sxm4-80gb"), "structure"),
    Mutation(
        "excluded pool", "services",
        both(_move_to("big", "box", "l40s"), _first("big", "term", "owned")), "allowed",
    ),
    Mutation("tp not listed", "services", _first("big", "layout.tp", 1), "allowed"),
    Mutation("illegal tp", "services", _first("chat", "layout.tp", 3), "allowed"),
    Mutation("format not listed", "services", _first("chat", "layout.weights", "fp8"), "allowed"),
    Mutation("KV format", "services", _first("chat", "layout.kv", "fp8"), "allowed"),
    Mutation("another engine", "services", _first("chat", "layout.engine", "sglang"), "allowed"),
    Mutation("attention kernel", "services", _first("chat", "layout.attention", "eager"), "allowed"),
    Mutation("weights in host RAM", "services", _first("chat", "layout.offload_weights_gib", 8.0), "allowed"),
    Mutation("printed bandwidth", "services", _first("big", "interconnect_gb_s", 900.0), "allowed"),
    Mutation("ZeRO stage not listed", "jobs", _first("sft", "layout.zero", 1), "allowed"),
    Mutation("offload not listed", "offload", _first("sft", "layout.offload_optimizer", "none"), "allowed"),
    Mutation("offload of parameters", "jobs", _first("sft", "layout.offload_parameters", "cpu"), "allowed"),
    Mutation("recompute not listed", "jobs", _first("tune", "layout.recompute", "none"), "allowed"),
    Mutation("micro-batch not listed", "jobs", _first("tune", "layout.micro_batch", 16), "allowed"),
    Mutation("global batch", "jobs", _first("sft", "layout.accumulation", lambda n: n + 1), "allowed"),
    Mutation("framework not asked", "jobs", _first("sft", "layout.engine", "fsdp"), "allowed"),
    Mutation("training format", "jobs", _first("sft", "layout.weights", "fp16"), "allowed"),
    Mutation("more GPUs than gpus.max", "jobs", _first("sft", "layout.dp", 8), "allowed"),
    Mutation("required and unserved", "services", put("workloads.big.assignment", []), "served"),
    Mutation("served flag", "services", put("workloads.chat.served", False), "served"),
    Mutation("replica without a place", "services", _drop("workloads.chat.assignment.0.placement", 0), "placement"),
    Mutation("place twice", "services", _first("chat", "placement.1.replica", 0), "placement"),
    Mutation("one GPU for two", "services", _same_gpu, "placement"),
    Mutation("GPU that is not there", "services", _first("chat", "placement.0.gpus", [4]), "placement"),
    Mutation("negative GPU", "services", _first("chat", "placement.0.gpus", [-1]), "placement"),
    Mutation("too few GPUs", "services", _first("big", "placement.0.gpus", [0]), "placement"),
    Mutation("a GPU twice in a place", "services", _first("big", "placement.0.gpus", [0, 0]), "placement"),
    Mutation("own node not whole", "jobs", _first("nightly", "placement.0.gpus", [0]), "placement"),
    Mutation("GPU count", "services", _first("chat", "gpus", lambda n: n + 1), "placement"),
    Mutation("node count", "services", _first("chat", "nodes", lambda n: n + 1), "placement"),
    Mutation("replica count", "services", _first("chat", "replicas", lambda n: n + 1), "placement"),
    Mutation("node that is not there", "services", _first("big", "placement.0.node", 2), "capacity"),
    Mutation("owned nodes", "services", put("pools.box.owned", 4), "capacity"),
    Mutation("nodes bought", "services", put("pools.box.bought", 1), "capacity"),
    Mutation("rented nodes", "services", put("pools.pair.rented", 0), "capacity"),
    Mutation("used nodes", "services", put("pools.pair.used_nodes", 2), "capacity"),
    Mutation("used GPUs", "services", put("pools.box.used_gpus", 1), "capacity"),
    Mutation("GPUs of a pool", "services", put("pools.box.total_gpus", 8), "capacity"),
    Mutation("weights in the ledger", "services", _first("chat", "ledger.components.weights.gib", 1.0), "memory"),
    Mutation("upper total", "services", _first("chat", "ledger.upper_gib", lambda x: x - 1), "memory"),
    Mutation("usable", "services", _first("chat", "ledger.usable_gib", lambda x: x + 1), "memory"),
    Mutation(
        "a component hidden", "services",
        lambda d: get(d, "workloads.chat.assignment.0.ledger.components").pop("weights"), "memory",
    ),
    Mutation("host RAM printed", "offload", _first("sft", "ledger.host_gib", 1.0), "memory"),
    Mutation("dp 1 without offload room", "jobs", both(
        _first("sft", "layout.dp", 1), _first("sft", "layout.micro_batch", 1),
        _first("sft", "layout.accumulation", 64),
    ), "memory"),
    Mutation("rate", "services", _first("chat", "speed.rate", lambda x: x * 1.01), "speed"),
    Mutation("low rate", "services", _first("chat", "speed.rate_low", lambda x: x * 1.5), "speed"),
    Mutation("TTFT", "services", _first("chat", "speed.ttft_s", lambda x: x / 2), "speed"),
    Mutation("TPOT left out", "services", _first("chat", "speed.tpot_s", None), "speed"),
    Mutation("hours", "jobs", _first("tune", "speed.hours", lambda x: x - 1), "speed"),
    Mutation("unit of speed", "jobs", _first("tune", "speed.unit", "requests/s"), "speed"),
    Mutation("extrapolated", "services", _first("chat", "speed.extrapolated", lambda x: not x), "speed"),
    Mutation("units of the demand", "services", _first("chat", "units", lambda n: n - 500), "demand"),
    Mutation("spare replica removed", "services", _fewer_replicas, "demand"),
    Mutation("total", "services", put("cost.total", cents(1)), "money"),
    Mutation("all sums higher", "services", _more_money, "money"),
    Mutation("cost of a workload", "services", put("workloads.chat.cost", cents(-1)), "money"),
    Mutation("cost of an assignment", "services", both(
        _first("chat", "cost", cents(-5000)), put("workloads.chat.cost", cents(-5000)),
        put("pools.box.idle_cost", cents(5000)),
    ), "money"),
    Mutation("cost of a pool", "services", put("pools.pair.cost", cents(1)), "money"),
    Mutation("idle cost", "services", put("pools.box.idle_cost", cents(1)), "money"),
    Mutation("cost of jobs", "jobs", put("cost.jobs", cents(-1)), "money"),
    Mutation("cost of services", "services", put("cost.services", cents(1)), "money"),
    Mutation("cost of a period", "services", put("cost.periods.0.cost", cents(1)), "money"),
    Mutation("bound above the total", "services", put("bound", cents(100)), "money"),
    Mutation("bound below, called proven", "services", put("bound", cents(-100)), "money"),
    Mutation("gap", "services", put("gap", 0.1), "money"),
    Mutation("no bound", "services", put("bound", None), "money"),
]  # fmt: skip


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda m: f"{m.scenario}-{m.what}")
def test_mutation_is_found(mutation: Mutation) -> None:
    before = as_json(plan_of(mutation.scenario))
    found = problems_after(mutation.scenario, mutation.edit)
    after = as_json(plan_of(mutation.scenario))
    assert before == after, "the solved plan itself was changed"
    assert mutation.check in {p.check for p in found}, [str(p) for p in found]


def test_money_of_the_services_by_hand() -> None:
    """Upkeep 150, three L40S of 350 W at 0.15/kWh x 1.25, and one rented node for 730 h.

    Each L40S draws a fifth of its power all the time, and the rest for as much of it as it is busy.
    """
    plan = plan_of("services")
    assert plan.cost is not None
    chat = next(w for w in plan.workloads if w.name == "chat").assignment[0]
    assert 0 < chat.busy < 2000
    # At most six alike, three of them needed: two to serve, one to spare.
    assert chat.replicas == 3
    assert chat.busy == math.ceil(2000 * 2 / chat.speed.rate_low / 3)
    share = Decimal("0.2") + Decimal("0.8") * chat.busy / 2000
    each = (Decimal("0.350") * share * 730 * Decimal("0.15") * Decimal("1.25")).quantize(
        Decimal("0.01"), "ROUND_UP"
    )
    wanted = 150 * chat.nodes + each * chat.gpus + Decimal("4.205") * 730
    assert plan.cost.total == wanted.quantize(Decimal("0.01"))
