"""Random tiny problems over two or three periods: services per period, jobs in one or more, orders across them."""

from dataclasses import replace
from random import Random

from planner.options.problem import Acquisition, Block, Candidate, Hold, Limit, Problem, Supply


def tiny_periods(random: Random) -> Problem:
    """Per period an owned, a bought and a rented supply of one pool; one service each, maybe a job."""
    count = random.choice([2, 2, 3])
    node_gpus = random.choice([1, 2, 4])
    supplies: list[Supply] = []
    for _ in range(count):
        owned = random.randint(0, 1)
        supplies += [
            Supply(
                "p",
                "owned",
                node_gpus,
                owned,
                random.randint(0, 20),
                "a",
                node_power_w=3,
                rack_units=2,
            ),
            Supply(
                "p",
                "bought",
                node_gpus,
                2,
                random.randint(0, 20),
                "a",
                base_nodes=0,
                node_power_w=5,
            ),
            Supply("p", "rented", node_gpus, random.randint(0, 2), random.randint(20, 120), "a"),
        ]
    blocks = [_service(random, t, node_gpus) for t in range(count)]
    if random.random() < 0.5:
        blocks.append(_job(random, count, node_gpus))
    orders = tuple(order for t in range(count) for order in _orders(random, t, count))
    limits = []
    if random.random() < 0.4:
        coefficients = tuple((n, random.randint(50, 150)) for n in range(len(orders)))
        limits.append(
            Limit("capex", "acquired", random.randint(50, 300), acquisitions=coefficients)
        )
    if random.random() < 0.4:
        t = random.randrange(count)
        extra = ((random.randrange(len(orders)), random.randint(0, 30)),)
        limits.append(
            Limit("opex", "cost", random.randint(30, 200), (3 * t, 3 * t + 1, 3 * t + 2), extra)
        )
    if random.random() < 0.3:
        t = random.randrange(count)
        limits.append(Limit("power", "power", random.randint(3, 14), (3 * t, 3 * t + 1, 3 * t + 2)))
    if random.random() < 0.3:
        t = random.randrange(count)
        there = tuple((n, 3) for n, o in enumerate(orders) if 3 * t + 1 in o.supplies)
        limits.append(
            Limit("racks", "racks", random.randint(0, 6), (3 * t, 3 * t + 1, 3 * t + 2), there)
        )
    return Problem(tuple(blocks), tuple(supplies), tuple(limits), count, orders)


def _candidate(random: Random, key: str, supply: int, node_gpus: int, units: int) -> Candidate:
    gpus = random.randint(1, node_gpus)
    return Candidate(key, supply, gpus, 0, units, random.randint(0, 30), power_w=gpus)


def _service(random: Random, t: int, node_gpus: int) -> Block:
    candidates = tuple(
        _candidate(random, f"s{t}.{n}", 3 * t + n, node_gpus, random.choice([700, 1000, 2000]))
        for n in range(3)
        if random.random() < 0.9
    )
    required = random.random() < 0.8
    return Block(f"service {t}", candidates, False, required=required)


def _job(random: Random, count: int, node_gpus: int) -> Block:
    candidates = tuple(
        _going_on(random, _candidate(random, f"j{s}", s, node_gpus, 2000), 3 * count)
        for s in range(3 * count)
        if random.random() < 0.7
    )
    return Block("job", candidates, True, required=random.random() < 0.8)


def _going_on(random: Random, candidate: Candidate, supplies: int) -> Candidate:
    """The same run, or one that goes on in the periods that follow."""
    rest = range(candidate.supply + 3, supplies, 3)
    later = tuple(Hold(s, random.randint(0, 30)) for s in rest[: random.choice([0, 1, 2])])
    whole = random.random() < 0.3
    return replace(
        candidate,
        gpus=0 if whole else candidate.gpus,
        whole_nodes=int(whole),
        own_nodes=whole and random.random() < 0.5,
        cost_cents=candidate.cost_cents + sum(hold.cost_cents for hold in later),
        later=later,
    )


def _orders(random: Random, first: int, count: int) -> list[Acquisition]:
    """One order for a period: at any size, from a least size on, or at a lower price from a size on."""
    last = random.randint(first + 1, count)
    supplies = tuple(3 * t + 1 for t in range(first, last))
    key, most, cents = f"buy {first}", random.randint(1, 2), random.randint(5, 200)
    shape = random.random()
    if shape < 0.1:
        return [Acquisition(key, most, cents, supplies, least=1)]
    if shape < 0.5:
        return [Acquisition(key, most, cents, supplies)]
    if shape < 0.7:
        return [Acquisition(key, 2, cents, supplies, fewest=2)]
    cheaper = random.randint(cents // 3, cents)
    return [
        Acquisition(key, 1, cents, supplies, group=first),
        Acquisition(
            f"{key} from 2", random.randint(2, 3), cheaper, supplies, fewest=2, group=first
        ),
    ]
