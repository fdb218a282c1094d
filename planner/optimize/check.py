"""Whether a problem is well formed; a malformed one is our bug, so the messages are for us."""

from __future__ import annotations

from collections.abc import Iterator

from planner.options.problem import DEMAND_UNITS, Block, Candidate, Problem

MONEY_LIMIT = 2**53
"""Costs stay below this, so that every solver's arithmetic holds them exactly."""


def problem_errors(problem: Problem) -> list[str]:
    """Everything wrong with the problem, empty when it is well formed."""
    errors: list[str] = []
    if problem.slots < 1:
        errors.append(f"slots is {problem.slots}")
    for supply in problem.supplies:
        name = f"supply {supply.pool}/{supply.term}"
        if supply.node_gpus < 1:
            errors.append(f"{name}: node_gpus is {supply.node_gpus}")
        if min(supply.max_nodes, supply.spare_nodes, supply.node_cost_cents) < 0:
            errors.append(f"{name}: a count or price is negative")
        if min(supply.node_power_w, supply.rack_units) < 0:
            errors.append(f"{name}: negative power or rack units")
        if not 0 <= supply.node_energy_cents <= supply.node_cost_cents:
            errors.append(f"{name}: energy is no part of the node's cost")
    for limit in problem.limits:
        if limit.kind not in ("cost", "power", "racks", "nodes", "acquired"):
            errors.append(f"limit {limit.name}: kind is {limit.kind!r}")
        if any(not 0 <= s < len(problem.supplies) for s in limit.supplies):
            errors.append(f"limit {limit.name}: unknown supply")
        if any(not 0 <= at < len(problem.acquisitions) for at, _ in limit.acquisitions):
            errors.append(f"limit {limit.name}: unknown acquisition")
    errors += _acquisition_errors(problem)
    for block in problem.blocks:
        errors += _block_errors(problem, block)
    total = sum(s.node_cost_cents * s.max_nodes for s in problem.supplies)
    if total >= MONEY_LIMIT:
        errors.append(f"all nodes together cost {total} cents")
    return errors


def _acquisition_errors(problem: Problem) -> list[str]:
    errors = []
    for order in problem.acquisitions:
        if not 0 <= order.least <= order.most or order.cost_cents < 0:
            errors.append(f"acquisition {order.key}: counts or price out of range")
        if order.fewest < 1 or (order.least and order.fewest > order.most):
            errors.append(f"acquisition {order.key}: at least {order.fewest} of {order.most} nodes")
        for index in order.supplies:
            if not 0 <= index < len(problem.supplies):
                errors.append(f"acquisition {order.key}: unknown supply {index}")
            elif problem.supplies[index].base_nodes is None:
                errors.append(f"acquisition {order.key}: supply {index} takes no acquisitions")
    total = sum(order.cost_cents * order.most for order in problem.acquisitions)
    if total >= MONEY_LIMIT:
        errors.append(f"all acquisitions together cost {total} cents")
    return errors


def _block_errors(problem: Problem, block: Block) -> list[str]:
    errors = []
    if block.multiplicity < 1:
        errors.append(f"block {block.name}: multiplicity is {block.multiplicity}")
    if block.min_replicas < 0 or block.spare_replicas < 0:
        errors.append(f"block {block.name}: negative replica count")
    if block.exactly_one and (block.min_replicas > 1 or block.spare_replicas > 0):
        errors.append(f"block {block.name}: one replica only, yet more are asked for")
    if block.size_parts < 0 or (block.size_parts and block.exactly_one):
        errors.append(f"block {block.name}: {block.size_parts} parts of each size")
    for index, candidate in enumerate(block.candidates):
        name = f"block {block.name}, candidate {index} ({candidate.key})"
        if not 0 <= candidate.supply < len(problem.supplies):
            errors.append(f"{name}: unknown supply {candidate.supply}")
            continue
        errors += [f"{name}: {text}" for text in _candidate_errors(block, candidate)]
        errors += [f"{name}: {text}" for text in _later_errors(problem, block, candidate)]
    return errors


def _later_errors(problem: Problem, block: Block, candidate: Candidate) -> Iterator[str]:
    """A run that goes on: further supplies are others, alike, and only a job has them."""
    if not candidate.later:
        return
    if not block.exactly_one:
        yield "holds several supplies, and is no job"
    if len(set(candidate.supplies)) < len(candidate.supplies):
        yield "holds a supply twice"
    if min(hold.cost_cents for hold in candidate.holds) < 0:
        yield "a negative share of its cost"
    first = problem.supplies[candidate.supply]
    for at in candidate.supplies[1:]:
        if not 0 <= at < len(problem.supplies):
            yield f"unknown supply {at}"
        elif problem.supplies[at].node_gpus != first.node_gpus:
            yield f"nodes of supply {at} have another number of GPUs"


def _turn_errors(block: Block, candidate: Candidate) -> Iterator[str]:
    """Who takes turns: single jobs in shared nodes, each within its own window."""
    turn = candidate.turn
    if turn is None or not 0 < turn.minutes <= turn.window or turn.guest_cents < 0:
        yield "takes turns, and its time is not known or too long"
    if not block.exactly_one or block.multiplicity > 1 or candidate.later or candidate.whole_nodes:
        yield "takes turns, and is no single job in a shared node"
    if candidate.guest_of >= 0 and (candidate.gpus or candidate.lane >= 0):
        yield "takes turns on the GPUs of another, and holds some"


def _candidate_errors(block: Block, candidate: Candidate) -> list[str]:
    errors = []
    if candidate.gpus < 0 or candidate.whole_nodes < 0:
        errors.append("negative size")
    if candidate.gpus == 0 and candidate.whole_nodes == 0 and candidate.guest_of < 0:
        errors.append("takes nothing")
    if candidate.lane >= 0 or candidate.guest_of >= 0:
        errors += _turn_errors(block, candidate)
    if candidate.units < 1:
        errors.append("covers no demand")
    if block.exactly_one and candidate.units < DEMAND_UNITS:
        errors.append(f"covers {candidate.units} of {DEMAND_UNITS} units of a job")
    if candidate.cost_cents < 0 or candidate.power_w < 0:
        errors.append("negative cost or power")
    if candidate.host_sixteenths < 0:
        errors.append("negative host RAM")
    sizes = len(block.candidates[0].loads)
    if len(candidate.loads) != sizes or bool(sizes) is not bool(block.size_parts):
        errors.append(f"{len(candidate.loads)} loads, {sizes} sizes, {block.size_parts} parts")
    if candidate.loads and max(candidate.loads) < 0:
        errors.append("serves no size")
    if candidate.max_replicas is not None and candidate.max_replicas < 0:
        errors.append("negative max_replicas")
    return errors
