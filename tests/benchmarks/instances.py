"""Generated fleets: realistic mixes of inference and training on owned and rented pools.

Odd seeds are tight (no rent; 85-100 % of the owned GPUs are used by a plan that is known to fit), and seeds
2, 3 modulo 4 use replicas of 3, 5, 6 and 12 GPUs, which divide no node.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from planner.options.problem import Block, Candidate, Problem, Supply

SIZES = ((5, 10), (20, 20), (50, 30), (100, 40), (300, 40), (1000, 40))
SEEDS = range(20)

HOURS = 730
GPUS = (
    # name, relative speed, GiB, USD per GPU-hour
    ("t4", 0.08, 16, 0.35),
    ("l4", 0.18, 24, 0.70),
    ("a10g", 0.22, 24, 1.01),
    ("rtx-4090", 0.45, 24, 0.69),
    ("v100", 0.25, 32, 0.95),
    ("a40", 0.35, 48, 0.79),
    ("l40s", 0.55, 48, 1.10),
    ("a100-40", 0.65, 40, 1.29),
    ("a100-80", 0.75, 80, 1.79),
    ("h100", 1.50, 80, 2.69),
    ("h200", 1.75, 141, 3.59),
    ("b200", 3.20, 180, 5.29),
)
POWERS = (1, 2, 4, 8)
ODD = (1, 3, 5, 6, 12)


@dataclass(frozen=True)
class _Pool:
    gpu: tuple[str, float, int, float]
    node_gpus: int
    price_factor: float


def generate(workloads: int, pools: int, seed: int) -> Problem:
    """One instance; the same arguments give the same instance."""
    random = Random(f"{workloads}x{pools}/{seed}")
    tight, odd = seed % 2 == 1, seed % 4 >= 2
    kinds = [_pool(random) for _ in range(pools)]
    scale = max(1, workloads // 100)
    supplies = tuple(_supply(random, i, pool, tight, scale) for i, pool in enumerate(kinds))
    blocks = tuple(_workload(random, i, kinds, odd) for i in range(workloads))
    problem = Problem(blocks, supplies)
    return _tighten(random, problem) if tight else problem


def _pool(random: Random) -> _Pool:
    gpu = random.choice(GPUS)
    return _Pool(gpu, random.choice([4, 8, 8, 8]), random.uniform(0.8, 1.3))


def _supply(random: Random, index: int, pool: _Pool, tight: bool, scale: int) -> Supply:
    owned = tight or random.random() < 0.35
    hourly = pool.gpu[3] * pool.price_factor * pool.node_gpus
    return Supply(
        pool=f"pool{index}",
        term="owned" if owned else "rent",
        node_gpus=pool.node_gpus,
        max_nodes=random.randint(1, 6) if owned else scale * random.choice([4, 16, 64]),
        node_cost_cents=0 if owned else round(hourly * HOURS * 100),
        gpu_type=pool.gpu[0],
    )


def _workload(random: Random, index: int, pools: list[_Pool], odd: bool) -> Block:
    job = random.random() < 0.4
    need_gib = random.choice([6, 10, 18, 28, 40, 70, 90, 150, 300, 500]) * random.uniform(0.8, 1.2)
    demand = random.lognormvariate(0.3, 0.9)  # H100s, about
    candidates = []
    allowed = random.sample(range(len(pools)), max(3, len(pools) * 3 // 5))
    for supply in sorted(allowed):
        for gpus in ODD if odd else POWERS:
            made = _candidate(random, supply, pools[supply], gpus, job, need_gib, demand)
            if made is not None:
                candidates.append(made)
    if not candidates:
        return _workload(random, index, pools, odd)
    spare = 0 if job else random.choice([0, 0, 0, 1])
    return Block(
        name=f"w{index}",
        candidates=tuple(candidates),
        exactly_one=job,
        min_replicas=1 if job else random.choice([1, 1, 2]),
        spare_replicas=spare,
    )


def _candidate(
    random: Random,
    supply: int,
    pool: _Pool,
    gpus: int,
    job: bool,
    need_gib: float,
    demand: float,
) -> Candidate | None:
    name, speed, gib, price = pool.gpu
    room = gpus * (gib * 0.9 - 2) / need_gib
    if room < 1 or room > 40:
        return None
    rate = speed * gpus**0.9 * min(1.0, 0.5 + 0.25 * room) * random.uniform(0.9, 1.1)
    whole = -(-gpus // pool.node_gpus) if gpus > pool.node_gpus else 0
    units = int(2000 * rate / demand)
    if units < 60 or (job and units < 2000) or (job and units > 40000):
        return None
    energy = round(gpus * (30 + 40 * price) * 100 * random.uniform(0.9, 1.1))
    return Candidate(
        key=f"pool{supply}/{name}/tp{gpus}",
        supply=supply,
        gpus=0 if whole else gpus,
        whole_nodes=whole,
        units=2000 if job else min(units, 2000),
        cost_cents=energy,
    )


def _tighten(random: Random, problem: Problem) -> Problem:
    """Stocks just large enough for a plan made by picking at random, plus up to 15 %."""
    gpus = [0] * len(problem.supplies)
    nodes = [0] * len(problem.supplies)
    free: list[list[int]] = [[] for _ in problem.supplies]
    for block in problem.blocks:
        candidate = random.choice(block.candidates)
        count = 1
        if not block.exactly_one:
            cover = -(-2000 // candidate.units)
            count = max(cover, block.min_replicas) + block.spare_replicas
        supply = candidate.supply
        size = problem.supplies[supply].node_gpus
        for _ in range(count):
            gpus[supply] += candidate.gpus + candidate.whole_nodes * size
            nodes[supply] += candidate.whole_nodes
            if candidate.gpus:
                nodes[supply] += _first_fit(free[supply], candidate.gpus, size)
    slack = random.uniform(1.0, 1.1)
    supplies = tuple(
        replace(s, max_nodes=max(nodes[i], int(nodes[i] * slack)))
        for i, s in enumerate(problem.supplies)
    )
    return replace(problem, supplies=supplies)


def _first_fit(free: list[int], gpus: int, size: int) -> int:
    for at, room in enumerate(free):
        if room >= gpus:
            free[at] -= gpus
            return 0
    free.append(size - gpus)
    return 1
