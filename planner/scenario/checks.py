"""Contradictions between values that are each valid: refused, with both places."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from planner.diagnostics import Diagnostic, Severity
from planner.scenario.checks_limits import check_limits
from planner.scenario.checks_requests import check_requests
from planner.scenario.checks_supply import check_pool
from planner.scenario.clash import clash
from planner.scenario.key_messages import missing_key
from planner.scenario.located import Located
from planner.scenario.paths import Step, nearest, path_text, span_of
from planner.scenario.schema_file import ScenarioFile, WorkloadSpec
from planner.scenario.schema_supply import Pool
from planner.scenario.schema_training import FullWorkload, Training
from planner.scenario.schema_workloads import (
    BatchWorkload,
    InferenceWorkload,
)
from planner.units import Price

P = TypeVar("P", bound=BaseModel)


def check_contradictions(spec: ScenarioFile, root: Located) -> list[Diagnostic]:
    """All contradictions of a scenario."""
    found: list[Diagnostic] = []
    for index, pool in enumerate(spec.inventory):
        found += check_pool(pool, ["inventory", index], root)
    for index, workload in enumerate(spec.workloads):
        found += check_workload(workload, ["workloads", index], root)
    if spec.horizon is not None:
        from planner.scenario.checks_horizon import check_horizon

        found += check_horizon(spec, root)
    found += check_limits(spec, root)
    found += _currencies(spec, root)
    found += _objective(spec, root)
    return found


def check_parts(root: Located) -> list[Diagnostic]:
    """Contradictions inside those pools and workloads that are valid by themselves."""
    from pydantic import TypeAdapter  # here, as it is wanted for invalid files alone

    found: list[Diagnostic] = []
    workload: TypeAdapter[WorkloadSpec] = TypeAdapter(WorkloadSpec)
    for index, item in enumerate(_items(root, "inventory")):
        found += _valid(item, Pool.model_validate, check_pool, ["inventory", index], root)
    for index, item in enumerate(_items(root, "workloads")):
        found += _valid(item, workload.validate_python, check_workload, ["workloads", index], root)
    return found


def _items(root: Located, key: str) -> list[Located]:
    value = (root.mapping or {}).get(key)
    return (value.items or []) if value is not None else []


def _valid(
    item: Located,
    validate: Callable[[object], P],
    check: Callable[[P, list[Step], Located], Iterator[Diagnostic]],
    steps: list[Step],
    root: Located,
) -> list[Diagnostic]:
    try:
        part = validate(item.plain())
    except ValidationError:
        return []
    return list(check(part, steps, root))


# ---------------------------------------------------------------------------------------- workloads


def check_workload(spec: WorkloadSpec, steps: list[Step], root: Located) -> Iterator[Diagnostic]:
    """Contradictions inside one workload."""
    yield from _bounds(spec.gpus.min, spec.gpus.max, [*steps, "gpus"], root)
    both = set(spec.pools or ()) & set(spec.exclude_pools)
    for name in sorted(both):
        yield clash(
            root, [*steps, "exclude_pools"], f"`{name}` is both in `pools` and in `exclude_pools`",
            [*steps, "pools"], help="keep it in one of the two",
        )  # fmt: skip
    if isinstance(spec, InferenceWorkload):
        yield from _service(spec, steps, root)
    if isinstance(spec, BatchWorkload) and spec.context is not None:
        yield from _context(spec.demand.prompt, spec.demand.output, spec.context, steps, root)
    if isinstance(spec, Training):
        yield from _training(spec, steps, root)


def _bounds(
    low: int | None, high: int | None, steps: list[Step], root: Located
) -> Iterator[Diagnostic]:
    if low is not None and high is not None and low > high:
        yield clash(
            root, [*steps, "min"], f"`min` is {low}, above `max`, which is {high}", [*steps, "max"],
            help=f"write `min: {high}` or `max: {low}`",
        )  # fmt: skip


def _service(spec: InferenceWorkload, steps: list[Step], root: Located) -> Iterator[Diagnostic]:
    demand = spec.demand
    yield from _bounds(spec.replicas.min, spec.replicas.max, [*steps, "replicas"], root)
    yield from check_requests(spec, steps, root)
    yield from _context(demand.prompt or 0, demand.output or 0, spec.context, steps, root)


def _context(
    prompt: int, output: int, context: int, steps: list[Step], root: Located
) -> Iterator[Diagnostic]:
    if prompt + output > context:
        yield clash(
            root, [*steps, "context"],
            f"a mean request of {prompt} + {output} tokens is longer than `context`",
            [*steps, "demand"], label=f"{context} tokens", related=f"{prompt + output} tokens",
            help=f"write `context: {-(-(prompt + output) // 1024) * 1024}` or shorten the requests",
        )  # fmt: skip


def _training(spec: Training, steps: list[Step], root: Located) -> Iterator[Diagnostic]:
    if spec.tokens is None and spec.dataset is None:
        yield missing_key([*steps, "tokens"], root)
    if spec.tokens is not None and spec.dataset is not None:
        yield clash(
            root, [*steps, "tokens"], "a workload has both `tokens` and `dataset`",
            [*steps, "dataset"], help="keep one of the two",
        )  # fmt: skip
    yield from _batch(spec, steps, root)
    if isinstance(spec, FullWorkload):
        yield from _offload(spec, steps, root)


def _batch(spec: Training, steps: list[Step], root: Located) -> Iterator[Diagnostic]:
    sequence, batch = getattr(spec, "sequence"), getattr(spec, "global_batch")  # noqa: B009
    if batch.unit == "tokens" and batch.count % sequence:
        near = max(1, round(batch.count / sequence))
        yield clash(
            root, [*steps, "global_batch"],
            f"{batch.count} tokens are no whole number of sequences of {sequence}",
            [*steps, "sequence"], help=f"write `{near * sequence} tokens` or `{near} sequences`",
        )  # fmt: skip
        return
    sequences = batch.count // (sequence if batch.unit == "tokens" else 1)
    for micro in spec.micro_batch or ():
        if micro > sequences:
            yield clash(
                root, [*steps, "micro_batch"],
                f"a micro-batch of {micro} is larger than the global batch of {sequences} sequences",
                [*steps, "global_batch"], help=f"write `micro_batch: {sequences}` or less",
            )  # fmt: skip


def _offload(spec: FullWorkload, steps: list[Step], root: Located) -> Iterator[Diagnostic]:
    moved = [t for t in spec.offload.parameters if t != "none"]
    if (
        moved
        and "none" not in spec.offload.parameters
        and spec.zero is not None
        and 3 not in spec.zero
    ):
        yield clash(
            root, [*steps, "offload", "parameters"], "parameters are offloaded by ZeRO stage 3 only",
            [*steps, "zero"], help="write `zero: 3`, or `parameters: none`",
        )  # fmt: skip


# ------------------------------------------------------------------------------------ the whole file


def _objective(spec: ScenarioFile, root: Located) -> Iterator[Diagnostic]:
    if spec.objective != ("unserved", "cost"):
        yield Diagnostic(
            "P104",
            Severity.ERROR,
            f"the objective {', '.join(spec.objective)} is not supported yet",
            span_of(root, ["objective"]),
            help=("write `objective: [unserved, cost]`, or remove the key",),
        )


def _currencies(spec: ScenarioFile, root: Located) -> Iterator[Diagnostic]:
    """Prices in another currency than the scenario's: planner knows no exchange rates."""
    for steps, price in prices(spec):
        if price.currency != spec.currency:
            stated = ["currency"] if "currency" in root.keys else []
            # As the file has it: one price may stand for a list of one.
            steps = nearest(root, steps)[1]
            yield clash(
                root, steps, f"`{path_text(steps)}` is in {price.currency}, the scenario in {spec.currency}",
                stated, help=f"write all prices in {spec.currency}, or set `currency: {price.currency}`",
            )  # fmt: skip


def prices(part: BaseModel, steps: tuple[Step, ...] = ()) -> Iterator[tuple[list[Step], Price]]:
    """Every price in a scenario with its path."""
    for name in type(part).model_fields:
        value = getattr(part, name)
        items = value if isinstance(value, tuple) else (value,)
        for index, item in enumerate(items):
            below = (*steps, name, index) if isinstance(value, tuple) else (*steps, name)
            if isinstance(item, Price):
                yield list(below), item
            elif isinstance(item, BaseModel):
                yield from prices(item, below)
