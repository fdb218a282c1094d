"""Placement: every replica sits once, on GPUs that exist and that nobody else has."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from planner.plan.schema import Place
from planner.verify.case import Case, Part
from planner.verify.problem import Finding, Problem

CHECK = "placement"


def check_placement(case: Case) -> Finding:
    """Places of each assignment, then of each node."""
    problems = [Problem(CHECK, p.name, f"{p.where}: {t}") for p in case.parts for t in _part(p)]
    problems += list(_shared(case))
    replicas = sum(p.given.replicas for p in case.parts)
    nodes = {(p.given.pool, place.node) for p in case.parts for place in p.given.placement}
    looked = f"{replicas} replicas on {len(nodes)} nodes, no GPU twice"
    return Finding(CHECK, looked, tuple(problems))


def _part(part: Part) -> Iterator[str]:
    by_replica: dict[int, list[Place]] = defaultdict(list)
    for place in part.given.placement:
        by_replica[place.replica].append(place)
    wanted = set(range(part.given.replicas))
    if set(by_replica) != wanted:
        missing, extra = sorted(wanted - set(by_replica)), sorted(set(by_replica) - wanted)
        yield f"replicas without a place: {missing}, places of replicas that are not: {extra}"
    for replica, places in sorted(by_replica.items()):
        yield from (f"replica {replica}: {text}" for text in _replica(part, places))
    gpus, nodes = part.given.replicas * part.gpus_held, {p.node for p in part.given.placement}
    if part.given.gpus != gpus:
        yield f"{part.given.gpus} GPUs printed, {part.given.replicas} replicas hold {gpus}"
    if part.given.nodes != len(nodes):
        yield f"{part.given.nodes} nodes printed, placed on {len(nodes)}"


def _replica(part: Part, places: list[Place]) -> Iterator[str]:
    """One replica: on one node with others, or on whole nodes; a tp group never spans nodes."""
    node_gpus, whole = part.facts.node_gpus, part.whole_nodes
    nodes = [p.node for p in places]
    if len(set(nodes)) != len(nodes):
        yield f"placed twice on one node: {nodes}"
    if len(nodes) != max(1, whole):
        yield f"on {len(nodes)} nodes, {max(1, whole)} expected"
    for place in places:
        need = node_gpus if whole else part.layout.gpus
        if len(place.gpus) != need:
            yield f"{len(place.gpus)} GPUs on node {place.node}, {need} needed"
        if len(set(place.gpus)) != len(place.gpus):
            yield f"a GPU twice on node {place.node}: {place.gpus}"
        outside = [g for g in place.gpus if not 0 <= g < node_gpus]
        if outside:
            yield f"GPUs {outside} on node {place.node}, which has {node_gpus}"
    tp = part.layout.tp
    if len(nodes) > 1 and tp > 1 and node_gpus % tp and not part.ask.degrees.tp_across_nodes:
        yield f"tp {tp} does not divide the {node_gpus} GPUs of a node, so a group spans nodes"


def _shared(case: Case) -> Iterator[Problem]:
    """No GPU twice, and no node under two price terms."""
    taken: Counter[tuple[str, int, int]] = Counter()
    terms: dict[tuple[str, int], set[str]] = defaultdict(set)
    for part in case.parts:
        if part.host is not None:
            continue
        for place in part.given.placement:
            terms[part.given.pool, place.node].add(part.given.term)
            taken.update((part.given.pool, place.node, gpu) for gpu in set(place.gpus))
    for (pool, node, gpu), times in sorted(taken.items()):
        if times > 1:
            text = f"GPU {gpu} of node {node} is given to {times} replicas"
            yield Problem(CHECK, pool, text)
    for (pool, node), names in sorted(terms.items()):
        if len(names) > 1:
            text = f"node {node} is held as {' and as '.join(sorted(names))}"
            yield Problem(CHECK, pool, text)
