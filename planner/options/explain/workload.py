"""One explanation per workload without an option: headline, facts, layouts tried, what would work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from planner.options.asks import Ask, PoolFacts, ServingAsk, TrainingAsk
from planner.options.consider import consider_one
from planner.options.describe import layout_text
from planner.options.explain.serving_facts import serving_facts
from planner.options.explain.training_facts import training_facts
from planner.options.explain.what_if import Outlook, outlook
from planner.options.question import ConsideredByWorkload, Question
from planner.options.records import Considered, Reason, Rejection
from planner.options.refusals import miss
from planner.plan.schema import Explanation, LedgerAccount, SourcePlace
from planner.scenario import Scenario

TRIED_ROWS = 8
"""Layouts shown in the account; the others are in `planner why`."""


@dataclass(frozen=True, slots=True)
class _Case:
    """A workload without an option, considered in full detail on every pool."""

    ask: Ask
    pools: tuple[PoolFacts, ...]
    parts: tuple[Considered, ...]

    @property
    def rejections(self) -> list[Rejection]:
        """All rejections, nearest misses first."""
        return sorted((r for c in self.parts for r in c.rejections), key=miss)


def explain_workloads(
    scenario: Scenario,
    question: Question,
    considered: ConsideredByWorkload,
    hopeless: Sequence[str],
) -> tuple[Explanation, ...]:
    """Explanations in the scenario's order, each pointing at the user's own line."""
    pools = tuple(s.facts for s in question.suppliers)
    result = []
    for ask in question.asks:
        if ask.name in hopeless:
            place = _place(scenario, f"{scenario.workload(ask.name).path}.model")
            result.append(
                explain_ask(ask, pools, what_if=False).model_copy(update={"place": place})
            )
    return tuple(result)


def explain_ask(ask: Ask, pools: Sequence[PoolFacts], *, what_if: bool = True) -> Explanation:
    """Why none of the pools can run the workload, and (by fitting alone, no plan is made) what would."""
    parts = tuple(consider_one(ask, p, detail=True) for p in pools)
    case = _Case(ask, tuple(pools), parts)
    after = outlook(ask, case.pools, case.rejections) if what_if else Outlook()
    facts = _facts(case)
    return Explanation(
        workload=ask.name,
        code="P302",
        headline=_headline(case),
        label=facts[0] if facts else "",
        because=tuple(facts[1:]),
        tried=_tried(case),
        help=after.help,
        notes=(*_notes(case), *after.notes),
    )


def _place(scenario: Scenario, path: str) -> SourcePlace:
    span = scenario.span(path)
    lines = scenario.sources.get(span.file, "").splitlines()
    text = lines[span.line - 1] if 0 < span.line <= len(lines) else ""
    return SourcePlace(
        file=span.file, line=span.line, column=span.column, end_column=span.end_column, text=text
    )


def _headline(case: _Case) -> str:
    reasons = {r.reason for r in case.rejections if r.reason is not Reason.ILLEGAL_LAYOUT}
    name, model = case.ask.name, case.ask.model.id
    if reasons <= {Reason.CAPABILITY}:
        return f"`{name}` cannot run on any GPU it may use"
    if Reason.HOST_RAM in reasons:
        return f"`{name}` does not fit: offloading needs more host RAM than the nodes have"
    if Reason.MEMORY in reasons and not reasons & {Reason.LATENCY, Reason.DEADLINE}:
        return f"`{name}` does not fit: {model} needs more memory than any layout on its GPUs has"
    if Reason.DEADLINE in reasons:
        return f"`{name}` cannot finish before its deadline on any GPUs it may use"
    if Reason.LATENCY in reasons:
        return f"`{name}` cannot meet its latency objectives on any GPUs it may use"
    if Reason.INTERCONNECT in reasons:
        return f"`{name}` insists on more bandwidth between GPUs than any it may use have"
    if reasons <= {Reason.NOT_ALLOWED}:
        return f"`{name}` may use no pool of the inventory"
    return f"`{name}` has no layout that works: {', '.join(sorted(r.value for r in reasons))}"


def _facts(case: _Case) -> list[str]:
    """The first fact labels the user's line; the others follow as because / and."""
    if isinstance(case.ask, ServingAsk):
        return serving_facts(case.ask, case.pools, case.rejections)
    assert isinstance(case.ask, TrainingAsk)
    return training_facts(case.ask, case.pools, case.rejections)


def _tried(case: _Case) -> tuple[LedgerAccount, ...]:
    """The account of the layouts with most GPUs in the most preferred format, nearest miss first."""
    rows = [r for r in case.rejections if r.reason is Reason.MEMORY and r.account is not None]
    if {Reason.DEADLINE, Reason.LATENCY, Reason.HOST_RAM} & {r.reason for r in case.rejections}:
        return ()
    most = {
        c.pool: max((r.layout.gpus for r in rows if r.pool == c.pool), default=0)
        for c in case.parts
    }
    shapes: dict[tuple[object, ...], Rejection] = {}
    for row in rows:
        x = row.layout
        if x.gpus == most[row.pool]:
            # Of layouts that differ in micro-batch or recompute only, the nearest speaks for all.
            key = (row.pool, x.tp, x.pp, x.dp, x.sharding, x.zero, x.weights, x.offload_optimizer)
            shapes.setdefault(key, row)
    return tuple(_account_row(r) for r in list(shapes.values())[:TRIED_ROWS])


def _account_row(rejection: Rejection) -> LedgerAccount:
    assert rejection.account is not None
    assert rejection.need is not None
    assert rejection.have is not None
    layout = rejection.layout
    shape = f"({layout.tp},{layout.pp}) " if layout.tp * layout.pp > 1 else ""
    return LedgerAccount(
        pool=rejection.pool,
        layout=shape + layout_text(layout),
        gpus=layout.gpus,
        components={name: upper for name, _, upper, _, _ in rejection.account.components},
        need_gib=rejection.need,
        have_gib=rejection.have,
        short_gib=rejection.need - rejection.have,
    )


def _notes(case: _Case) -> tuple[str, ...]:
    """Tensor parallel degrees that are not legal, up to twice the node: what does not divide."""
    ask = case.ask
    if not isinstance(ask, ServingAsk) or not case.pools:
        return ()
    most = max(p.node_gpus for p in case.pools)
    bad = [n for n in range(2, 2 * most) if ask.model.num_attention_heads % n]
    if not bad:
        return ()
    counts = f"{', '.join(map(str, bad[:-1]))} or {bad[-1]}" if len(bad) > 1 else str(bad[0])
    heads = ask.model.num_attention_heads
    return (
        f"{counts} GPUs cannot be one tensor-parallel group: {heads} attention heads do not divide",
    )
