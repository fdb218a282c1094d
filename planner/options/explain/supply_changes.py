"""Changes to supply and limits that may make room: nodes, host RAM, budget, power, racks, or a workload less."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from planner.catalog.offers import purchase_offers
from planner.options.asks import Ask, PoolFacts, TrainingAsk
from planner.options.build import Supplier
from planner.options.explain.changes import Change, Search, single
from planner.options.explain.levers import two_digits
from planner.options.power import scaled
from planner.options.problem import Limit
from planner.options.question import Question
from planner.options.terms import Term
from planner.units import GIB

MOST_MORE_NODES = 32
LARGEST_NODE = 64
"""GPUs of one node a what-if goes up to."""
LARGEST_REAL_NODE = 16
"""GPUs of the largest nodes one can buy."""
MOST_MORE_GPUS = 8
"""GPUs beyond those that one workload takes, for the others on the node."""
LABEL_SHARE, SYSTEM_GIB = 0.97, 16
"""Usable host RAM is that share of the label, less the system's reserve."""


def with_supplier(question: Question, supplier: Supplier) -> Question:
    """The question with the supplier of that name replaced, or added."""
    name = supplier.facts.name
    if all(s.facts.name != name for s in question.suppliers):
        return replace(question, suppliers=(*question.suppliers, supplier))
    return replace(
        question,
        suppliers=tuple(supplier if s.facts.name == name else s for s in question.suppliers),
    )


def more_nodes(question: Question, pool: str) -> Search:
    """Ever more nodes under the pool's first term."""
    supplier = question.supplier(pool)
    first = supplier.terms[0] if supplier.terms else Term("owned", 0, pays_energy=True)

    def at(step: int) -> Change:
        nodes = first.max_nodes + step + 1
        return Change("nodes", _nodes_text(supplier, first, nodes), whole=_with_nodes(pool, nodes))

    return Search("nodes", "", MOST_MORE_NODES, at, at_most=f"more nodes of `{pool}`")


def _with_nodes(pool: str, nodes: int) -> Callable[[Question], Question]:
    def apply(question: Question) -> Question:
        supplier = question.supplier(pool)
        first = supplier.terms[0] if supplier.terms else Term("owned", 0, pays_energy=True)
        terms = (replace(first, max_nodes=nodes), *supplier.terms[1:])
        facts = replace(supplier.facts, max_nodes=sum(t.max_nodes for t in terms))
        return with_supplier(question, replace(supplier, facts=facts, terms=terms))

    return apply


def _nodes_text(supplier: Supplier, term: Term, nodes: int) -> str:
    pool, gpus = supplier.facts.name, supplier.facts.node_gpus
    unit = "node" if nodes == 1 else "nodes"
    if not term.name.startswith("owned"):
        return f"`max_nodes: {nodes}` for `{pool}` instead of {term.max_nodes}"
    more = (nodes - term.max_nodes) * gpus
    return f"{nodes} {unit} of `{pool}` instead of {term.max_nodes}{_card_price(supplier, more)}"


def _card_price(supplier: Supplier, gpus: int) -> str:
    """What the further GPUs cost by the newest price of the catalog; the plan's total has no purchases."""
    offers = purchase_offers(supplier.facts.gpu.id)
    if not offers:
        return ""
    offer = offers[0]
    low, high = offer.usd_low * gpus, offer.usd_high * gpus
    span = f"{low:,.0f}" if low == high else f"{low:,.0f} to {high:,.0f}"
    cards = f"{gpus} more GPUs" if gpus > 1 else "1 more GPU"
    return f" (not in the total: {cards} cost {span} USD {offer.condition}, {offer.date})"


def fewer_spare_nodes(question: Question, pool: str) -> Search | None:
    """Keep fewer nodes free."""
    spare = question.supplier(pool).spare_nodes
    if not spare:
        return None

    def at(step: int) -> Change:
        left = spare - step - 1
        return Change(
            "spare-nodes", f"`spare_nodes: {left}` for `{pool}` instead of {spare}",
            whole=lambda q: with_supplier(q, replace(q.supplier(pool), spare_nodes=left)),
        )  # fmt: skip

    return Search("spare-nodes", "", spare, at)


def more_host_ram(question: Question, pool: str) -> Search | None:
    """Ever more host RAM in each node of the pool, in steps of 64 GiB."""
    have = question.supplier(pool).facts.host_bytes
    if have is None:
        return None
    label = (have / GIB + SYSTEM_GIB) / LABEL_SHARE
    sizes = range(math.floor(label / 64) * 64 + 64, 4096 + 1, 64)

    def at(step: int) -> Change:
        size = sizes[step]
        usable = math.floor(size * GIB * LABEL_SHARE) - SYSTEM_GIB * GIB

        def apply(q: Question) -> Question:
            supplier = q.supplier(pool)
            return with_supplier(
                q, replace(supplier, facts=replace(supplier.facts, host_bytes=usable))
            )

        text = f"`host_ram: {size} GiB` in the nodes of `{pool}` (its price is not in the total)"
        return Change("host-ram", text, whole=apply)

    return Search("host-ram", "", len(sizes), at) if sizes else None


def larger_node(question: Question, workload: str, pool: str, least: int) -> Search:
    """One node of the pool with more GPUs, from `least` on; a training batch grows to the next multiple of them."""
    facts = question.supplier(pool).facts
    sizes = range(least, min(least + MOST_MORE_GPUS, max(LARGEST_REAL_NODE, least)) + 1)
    ask = next(a for a in question.asks if a.name == workload)

    def at(step: int) -> Change:
        count = sizes[step]
        text = f"{count} x {facts.gpu.name} in one node instead of {facts.node_gpus}"
        batch = _batch(_in_batches(ask, least))
        if batch != _batch(ask):
            text += f" with `global_batch: {batch} sequences`"

        def grown(a: Ask) -> Ask:
            return _in_batches(replace(a, gpus_max=least), least)

        def apply(q: Question) -> Question:
            supplier = q.supplier(pool)
            facts, draw = node_with(supplier.facts, count), scaled(supplier.draw, count)
            return with_supplier(q, replace(supplier, facts=facts, draw=draw))

        return Change("larger-node", text, workload, ask=grown, whole=apply)

    widest = f"more {facts.gpu.name} in one node"
    return Search("larger-node", workload, len(sizes), at, at_most=widest)


def _batch(ask: Ask) -> int:
    return ask.global_batch if isinstance(ask, TrainingAsk) else 0


def _in_batches(ask: Ask, count: int) -> Ask:
    if not isinstance(ask, TrainingAsk):
        return ask
    return replace(ask, global_batch=math.ceil(ask.global_batch / count) * count)


def node_with(pool: PoolFacts, count: int) -> PoolFacts:
    """The pool if its nodes had that many GPUs, host RAM growing alike."""
    link = replace(pool.link, domain=max(pool.link.domain, count), gpus_per_node=count)
    host = None if pool.host_bytes is None else pool.host_bytes * count // pool.node_gpus
    return replace(pool, node_gpus=count, link=link, host_bytes=host)


def with_gpus(ask: Ask, count: int) -> Ask:
    """The same ask on exactly `count` GPUs; a training batch grows to the next multiple of them."""
    return _in_batches(replace(ask, gpus_min=count, gpus_max=count), count)


def without_limit(name: str) -> Callable[[Question], Question]:
    """Lifts a limit."""
    return lambda q: replace(q, limits=tuple(x for x in q.limits if x.name != name))


def with_limit(name: str, bound: int) -> Callable[[Question], Question]:
    """Sets a limit to another bound."""
    return lambda q: replace(
        q, limits=tuple(replace(x, bound=bound) if x.name == name else x for x in q.limits)
    )


def amount(kind: str, bound: int) -> str:
    """What a limit of power or rack units allows, as the scenario writes it.

    >>> amount("power", 40_500), amount("racks", 84)
    ('40.5 kW', '84')
    """
    return f"{bound / 1000:g} kW" if kind == "power" else f"{bound:g}"


def more_room(limit: Limit) -> Search:
    """Ever more power or rack units, in steps of the second digit."""
    bounds = two_digits(limit.bound, 100)
    key = limit.name.rpartition(".")[2]

    def at(step: int) -> Change:
        more, now = amount(limit.kind, bounds[step]), amount(limit.kind, limit.bound)
        text = f"`{key}: {more}` instead of {now}"
        return Change(limit.kind, text, whole=with_limit(limit.name, bounds[step]))

    what = "power" if limit.kind == "power" else "rack units"
    return Search(limit.kind, "", len(bounds), at, at_most=f"more {what}")


def left_out(ask: Ask, priority: int) -> Search:
    """The workload may stay unserved."""

    def apply(question: Question) -> Question:
        wishes = tuple(
            replace(w, required=False) if a.name == ask.name else w
            for a, w in zip(question.asks, question.wishes, strict=True)
        )
        return replace(question, wishes=wishes)

    text = f"leave out `{ask.name}` (`required: false`; its priority is {priority})"
    return single(Change("drop", text, ask.name, whole=apply))
