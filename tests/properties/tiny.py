"""Random tiny problems with a stated mix of features."""

from dataclasses import replace
from random import Random

from planner.options.problem import Block, Candidate, Limit, Problem, Supply


def tiny_problem(random: Random) -> Problem:
    """One to three blocks on one to three supplies of up to three nodes, small enough to try everything."""
    while True:
        problem = _draw(random)
        if _plans(problem) <= 20_000:
            return problem


def _plans(problem: Problem) -> int:
    """About how many plans brute force tries."""
    total = 1
    for block in problem.blocks:
        mixes = 1
        for candidate in block.candidates:
            most = 1 if block.exactly_one else -(-2000 // candidate.units) + block.spare_replicas
            mixes *= min(most, candidate.max_replicas or most) + 1
        total *= mixes**block.multiplicity
    return total


def _draw(random: Random) -> Problem:
    supplies = tuple(_supply(random, i) for i in range(random.randint(1, 3)))
    blocks = tuple(_block(random, i, supplies) for i in range(random.randint(1, 3)))
    limits = []
    if random.random() < 0.25:
        limits.append(Limit("budget", "cost", random.randint(50, 900), _some(random, supplies)))
    if random.random() < 0.15:
        limits.append(Limit("power", "power", random.randint(5, 40), _some(random, supplies)))
    if random.random() < 0.15:
        limits.append(Limit("racks", "racks", random.randint(1, 12), _some(random, supplies)))
    if random.random() < 0.15:
        limits.append(Limit("pool", "nodes", random.randint(1, 4), _some(random, supplies)))
    return Problem(blocks, supplies, tuple(limits))


def _some(random: Random, supplies: tuple[Supply, ...]) -> tuple[int, ...]:
    if random.random() < 0.5:
        return ()
    return tuple(sorted(random.sample(range(len(supplies)), random.randint(1, len(supplies)))))


def _supply(random: Random, index: int) -> Supply:
    owned = random.random() < 0.4
    return Supply(
        pool=f"pool{index if random.random() < 0.8 else 0}",
        term="owned" if owned else "rent",
        node_gpus=random.choice([1, 2, 4, 4, 5, 6, 8, 8]),
        max_nodes=random.choice([0, 1, 2, 2, 3, 3]),
        node_cost_cents=0 if owned else random.randint(1, 300),
        gpu_type=random.choice(["a", "b"]),
        spare_nodes=random.choice([0, 0, 0, 0, 1]),
        has_host_ram=random.random() < 0.9,
        node_power_w=random.choice([0, 0, random.randint(1, 15)]),
        rack_units=random.choice([0, 1, 2, 4]),
    )


def _block(random: Random, index: int, supplies: tuple[Supply, ...]) -> Block:
    job = random.random() < 0.35
    offload = random.random() < 0.3
    candidates = tuple(
        _candidate(random, f"{index}.{number}", supplies, job, offload)
        for number in range(random.choice([1, 2, 2, 3, 3, 4]))
    )
    whole = False
    sizes = 0 if job or random.random() >= 0.2 else random.choice([1, 2, 2])
    if sizes:
        whole = random.random() < 0.4
        candidates = tuple(
            replace(c, loads=_loads(random, sizes, heavy=whole))
            for c in candidates[: 2 if whole else 3]
        )
    spare = 0 if job else random.choice([0, 0, 0, 1, 1, 2 if not sizes else 0])
    return Block(
        name=f"w{index}",
        candidates=candidates,
        exactly_one=job,
        min_replicas=1 if job else random.choice([0, 1, 1, 2]),
        spare_replicas=spare,
        distinct_nodes=not job and random.random() < 0.3,
        same_pool=not job and random.random() < 0.25,
        same_candidate=not job and random.random() < 0.25,
        required=random.random() < 0.75,
        priority=random.randint(1, 2),
        size_parts=random.choice([1, 2, 3, 4]) if sizes else 0,
        whole_sizes=whole,
        multiplicity=2 if random.random() < 0.12 else 1,
    )


def _loads(random: Random, sizes: int, *, heavy: bool) -> tuple[int, ...]:
    """Some round loads, so that replicas are filled to the brim; at least one size is served."""
    if heavy:
        # More than one replica carries: only then does it matter whether a size may be split.
        return tuple(random.choice([1500, 3000, 4000]) for _ in range(sizes))
    loads = [random.choice([-1, 500, 700, 1000, 1000, 1500, 2000]) for _ in range(sizes)]
    if max(loads) < 0:
        loads[0] = 1000
    return tuple(loads)


def _candidate(
    random: Random, key: str, supplies: tuple[Supply, ...], job: bool, offload: bool
) -> Candidate:
    supply = random.randrange(len(supplies))
    whole = random.random() < 0.15
    size = supplies[supply].node_gpus
    return Candidate(
        key=key,
        supply=supply,
        gpus=0 if whole else random.randint(1, size if random.random() < 0.95 else size + 1),
        whole_nodes=random.randint(1, 2) if whole else int(random.random() < 0.05),
        units=2000 if job else random.choice([667, 700, 1000, 1000, 1500, 2000, 2500]),
        cost_cents=random.choice([0, random.randint(0, 200), random.randint(0, 200)]),
        host_sixteenths=random.choice([0, 3, 5, 8, 11]) if offload and not whole else 0,
        preference=random.randint(0, 2),
        max_replicas=random.choice([None, None, None, 1, 2]),
        power_w=random.randint(0, 10),
        own_nodes=whole and random.random() < 0.3,
    )


def features(problem: Problem) -> set[str]:
    """Names of the features that a problem has."""
    found = {f"limit {limit.kind}" for limit in problem.limits}
    for supply in problem.supplies:
        found |= {"spare nodes"} if supply.spare_nodes else set()
        found |= {"no host RAM"} if not supply.has_host_ram else set()
    if len({s.pool for s in problem.supplies}) < len(problem.supplies):
        found.add("two terms of a pool")
    for block in problem.blocks:
        flags = {
            "job": block.exactly_one,
            "mixed service": not block.exactly_one and not block.same_candidate,
            "spare replicas": block.spare_replicas > 0,
            "minimum replicas": block.min_replicas > 1,
            "distinct nodes": block.distinct_nodes,
            "same pool": block.same_pool,
            "same candidate": block.same_candidate,
            "optional": not block.required,
            "by size": block.size_parts > 0,
            "whole sizes": block.whole_sizes,
            "multiplicity": block.multiplicity > 1,
        }
        found |= {name for name, present in flags.items() if present}
        for candidate in block.candidates:
            size = problem.supplies[candidate.supply].node_gpus
            flags = {
                "whole nodes": candidate.whole_nodes > 0,
                "own nodes": candidate.own_nodes,
                "host RAM": candidate.host_sixteenths > 0,
                "most replicas": candidate.max_replicas is not None,
                "odd size": candidate.gpus > 1 and size % candidate.gpus > 0,
            }
            found |= {name for name, present in flags.items() if present}
    return found
