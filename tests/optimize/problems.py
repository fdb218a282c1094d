"""Small problems used by several tests."""

from planner.options.problem import Block, Candidate, Problem, Supply


def candidate(supply: int = 0, gpus: int = 1, cost: int = 10, **more) -> Candidate:
    """A candidate whose key is its content."""
    facts = {"units": 2000, "whole_nodes": 0} | more
    key = f"{supply}/{gpus}/{cost}/{sorted(more.items())}"
    return Candidate(key=key, supply=supply, gpus=gpus, cost_cents=cost, **facts)


def job(name: str, *candidates: Candidate, **more) -> Block:
    return Block(name, candidates, exactly_one=True, **more)


def service(name: str, *candidates: Candidate, **more) -> Block:
    return Block(name, candidates, exactly_one=False, **more)


def supply(pool: str = "p", gpus: int = 8, nodes: int = 1, cost: int = 0, **more) -> Supply:
    facts = {"term": "owned" if not cost else "rent", "gpu_type": pool} | more
    return Supply(pool=pool, node_gpus=gpus, max_nodes=nodes, node_cost_cents=cost, **facts)


def problem(blocks: list[Block], supplies: list[Supply], limits=()) -> Problem:
    return Problem(tuple(blocks), tuple(supplies), tuple(limits))
