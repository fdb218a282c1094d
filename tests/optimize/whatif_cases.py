"""Random small questions with invented options: what is asked and offered, without memory or speed models."""

from __future__ import annotations

import random
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from planner.catalog import gpu, model
from planner.layout import Layout
from planner.options.asks import Ask, PoolFacts, ServingAsk, TrainingAsk
from planner.options.build import Supplier, Wish
from planner.options.power import Draw
from planner.options.problem import DEMAND_UNITS, Limit
from planner.options.question import Question
from planner.options.records import Account, Considered, Option, Timing
from planner.options.terms import Energy, Term
from planner.speed.links import link_of

ACCOUNT = Account((), 1.0, 1.0, 2.0, 2.0, "")


@dataclass(frozen=True)
class Offer:
    """What one pool can do for one workload: GPUs of a replica, replicas' rate, hours of a job."""

    gpus: int
    units: int
    hours: float | None


class Invented:
    """Considers by table: a job's options are those within its deadline, `pools` is respected."""

    def __init__(self, table: dict[tuple[str, str], tuple[Offer, ...]]) -> None:
        self.table = table

    def __call__(self, ask: Ask, pool: PoolFacts) -> Considered:
        offers = self.table.get((ask.name, pool.name), ())
        if ask.pools is not None and pool.name not in ask.pools:
            offers = ()
        options = tuple(
            _option(ask, pool, o)
            for o in offers
            if (o.hours is None or ask.deadline_s is None or o.hours * 3600 <= ask.deadline_s)
            and o.gpus <= min(pool.node_gpus, ask.gpus_max or pool.node_gpus)
        )
        return Considered(ask.name, pool.name, options)


def _option(ask: Ask, pool: PoolFacts, offer: Offer) -> Option:
    least = ask.replicas_min if isinstance(ask, ServingAsk) else 1
    return Option(
        workload=ask.name, pool=pool.name, layout=Layout(tp=offer.gpus), gpus=offer.gpus, nodes=0,
        replicas=max(least, -(-DEMAND_UNITS // offer.units)), units=offer.units, host_bytes=0,
        nvme_bytes=0, preference=0, utilisation=1.0, account=ACCOUNT,
        timing=Timing(1.0, 1.0, 1.0, "x/s", "hbm", hours=offer.hours), interconnect_gb_s=0.0,
    )  # fmt: skip


def random_question(seed: int, *, workloads: int) -> tuple[Question, Invented]:
    """A question that is short of something more often than not."""
    draw = random.Random(seed)
    suppliers = tuple(_supplier(draw, n) for n in range(draw.randint(1, 3)))
    table: dict[tuple[str, str], tuple[Offer, ...]] = {}
    asks, wishes = [], []
    for number in range(workloads):
        name = f"w{number}"
        ask = _ask(draw, name, [s.facts.name for s in suppliers])
        job = isinstance(ask, TrainingAsk)
        for supplier in suppliers:
            sizes = draw.sample(range(1, supplier.facts.node_gpus + 1), draw.randint(1, 2))
            table[name, supplier.facts.name] = tuple(
                Offer(
                    size,
                    DEMAND_UNITS if job else draw.choice([500, 1000, 2000]),
                    float(draw.randint(5, 60)) if job else None,
                )
                for size in sizes
            )
        asks.append(ask)
        wishes.append(Wish(priority=draw.randint(1, 2)))
    question = Question(
        "random",
        "EUR",
        tuple(asks),
        tuple(wishes),
        suppliers,
        Energy(Decimal("0.2")),
        _limits(draw),
    )
    return question, Invented(table)


def _supplier(draw: random.Random, number: int) -> Supplier:
    card = gpu("l40s")
    size = draw.choice([2, 4, 5])
    nodes = draw.randint(1, 3)
    owned = draw.random() < 0.7
    term = (
        Term("owned", nodes, pays_energy=True)
        if owned
        else Term("rented", nodes, node_hour=Decimal(draw.randint(1, 9)))
    )
    facts = PoolFacts(
        f"p{number}", card, link_of(card, gpus_per_node=size, network_gbit_s=100), size, nodes,
        None, None,
    )  # fmt: skip
    watts = Fraction(card.tdp_w or 0)
    whole = size * watts + 300 if (size + nodes) % 3 == 0 else None
    return Supplier(
        facts, (term,), spare_nodes=draw.choice([0, 0, 0, 1]), draw=Draw(size, watts, whole),
        rack_units=size,
    )  # fmt: skip


def _ask(draw: random.Random, name: str, pools: list[str]) -> Ask:
    allowed = (draw.choice(pools),) if draw.random() < 0.2 else None
    smallest = model("llama-7b")
    if draw.random() < 0.4:
        return TrainingAsk(
            name=name, model=smallest, kind="qlora", sequence=512, global_batch=8, tokens=1e6,
            deadline_s=3600.0 * draw.randint(20, 80), pools=allowed,
        )  # fmt: skip
    return ServingAsk(
        name=name, model=smallest, kind="inference", context=512, prompt=400, output=112,
        concurrent=1, replicas_min=draw.choice([1, 1, 2]), pools=allowed,
    )  # fmt: skip


def _limits(draw: random.Random) -> tuple[Limit, ...]:
    rows = []
    if draw.random() < 0.4:
        rows.append(Limit("limits.opex", "cost", draw.randint(0, 500_000)))
    if draw.random() < 0.4:
        watts = draw.randint(200, 3000)
        rows.append(
            Limit("limits.power", "power", watts)
            if watts % 3
            else Limit("limits.rack_units", "racks", watts // 150)
        )
    return tuple(rows)


def everything_written(workload: str, path: str) -> bool:
    """All rows count as the user's own."""
    return True


__all__ = ["Invented", "Offer", "everything_written", "random_question"]
