"""Load a scenario: read, check and resolve it, and report every problem at once."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TextIO

from pydantic import ValidationError

from planner.catalog import model as catalog_model
from planner.catalog.validator import validate
from planner.diagnostics import Diagnostic, DiagnosticError, Severity, Span
from planner.scenario.checks import check_contradictions, check_parts
from planner.scenario.crossref import find_unknown_names
from planner.scenario.key_messages import no_value
from planner.scenario.lints import find_doubts
from planner.scenario.located import Located
from planner.scenario.own_models import resolve_own_models
from planner.scenario.paths import Step
from planner.scenario.resolve import find_defaults, resolve_pool
from planner.scenario.resolved import Default, ResolvedPool, ResolvedWorkload, Scenario
from planner.scenario.schema_file import ScenarioFile
from planner.scenario.sources import STDIN, Sources, is_null, printable
from planner.scenario.unsupported import find_unsupported, unsupported_at


def load(
    path: str | Path,
    overrides: Sequence[str] = (),
    stdin: TextIO | None = None,
    *,
    today: date | None = None,
) -> Scenario:
    """The scenario in a file (`-` for standard input), with `path=value` overrides applied.

    Args:
        path: The file; what it `extends` is found relative to it.
        overrides: Such as `workloads.chat.context=16384` or `inventory.box.owned.nodes=2`.
        stdin: Where `-` reads from; standard input by default.
        today: The day against which the age of prices is judged; today by default.

    Raises:
        DiagnosticError: With all the problems found, sorted by place; warnings are listed among them.
    """
    sources = Sources()
    name = str(path)
    try:
        root = sources.read(name, stdin)
        for override in overrides:
            sources.override(root, override)
        shown = STDIN if name == "-" else printable(name)
        scenario = _build(root, shown, sources, today or _today())
    except DiagnosticError as error:
        found = [*error.diagnostics, *sources.repeated]
        raise DiagnosticError(in_order(found), sources.texts) from None
    if sources.repeated:
        raise DiagnosticError(in_order([*scenario.warnings, *sources.repeated]), sources.texts)
    return scenario


def _today() -> date:
    """The day against which prices are judged: PLANNER_TODAY where set, so that old answers can be had again."""
    text = os.environ.get("PLANNER_TODAY", "")
    try:
        return date.fromisoformat(text) if text else date.today()
    except ValueError:
        message = f"the environment variable `PLANNER_TODAY` is no day such as 2026-11-24: `{text}`"
        raise DiagnosticError([Diagnostic("P102", Severity.ERROR, message)]) from None


def in_order(diagnostics: Sequence[Diagnostic]) -> list[Diagnostic]:
    """Diagnostics sorted by place, each once; those without a place first."""
    unique = {(d.code, d.span, d.message): d for d in diagnostics}
    return sorted(
        unique.values(),
        key=lambda d: (d.span is not None, d.span.file if d.span else "", d.span.line if d.span else 0,
                       d.span.column if d.span else 0, d.code),
    )  # fmt: skip


def _build(root: Located, file: str, sources: Sources, today: date) -> Scenario:
    problems = find_unsupported(root) + find_unknown_names(root) + _empty_values(root)
    spec: ScenarioFile | None = None
    try:
        spec = validate(ScenarioFile, root.plain())
    except ValidationError as error:
        from planner.scenario.messages import to_diagnostics

        problems += _not_reported(to_diagnostics(error, root), problems, root)
        problems += check_parts(root)
    else:
        problems += check_contradictions(spec, root)
    if spec is None or _has_errors(problems):
        raise DiagnosticError(problems)
    return _resolve(spec, root, file, sources, problems, today)


def _has_errors(problems: Sequence[Diagnostic]) -> bool:
    return any(p.severity is Severity.ERROR for p in problems)


def _not_reported(
    found: list[Diagnostic], known: list[Diagnostic], root: Located
) -> list[Diagnostic]:
    """Validation errors, without those at or inside a field that was refused before."""
    places = {d.span for d in known if d.severity is Severity.ERROR}
    for steps in unsupported_at(root):
        node = root
        for step in steps:
            below = (
                (node.items or [])[step] if isinstance(step, int) else (node.mapping or {})[step]
            )
            node = below
        places |= set(_spans(node))
    return [d for d in found if d.span not in places]


def _spans(node: Located) -> Iterator[Span]:
    yield node.span
    yield from node.keys.values()
    for below in (node.mapping or {}).values():
        yield from _spans(below)
    for below in node.items or []:
        yield from _spans(below)


def _empty_values(root: Located) -> list[Diagnostic]:
    """A diagnostic for each key without a value: YAML's null is never what someone means here."""
    found: list[Diagnostic] = []

    def visit(node: Located, steps: list[Step]) -> None:
        for key, value in (node.mapping or {}).items():
            if is_null(value):
                found.append(no_value([*steps, key], root))
            else:
                visit(value, [*steps, key])
        for index, item in enumerate(node.items or []):
            visit(item, [*steps, index])

    visit(root, [])
    return found


def _resolve(
    spec: ScenarioFile,
    root: Located,
    file: str,
    sources: Sources,
    problems: list[Diagnostic],
    today: date,
) -> Scenario:
    folder = Path() if file == STDIN else Path(file).parent
    own = resolve_own_models(spec.models, root, folder)
    problems = problems + own.problems
    if _has_errors(problems):
        raise DiagnosticError(problems)
    pools: list[ResolvedPool] = []
    defaults: list[Default] = []
    for index, pool in enumerate(spec.inventory):
        resolved, taken = resolve_pool(pool, f"inventory[{index}]")
        pools.append(resolved)
        defaults += taken
    workloads = tuple(
        ResolvedWorkload(w, f"workloads[{i}]", own.records.get(w.model) or catalog_model(w.model))
        for i, w in enumerate(spec.workloads)
    )
    problems += find_doubts(spec, tuple(pools), workloads, root, today)
    if _has_errors(problems):
        raise DiagnosticError(problems)
    return Scenario(
        spec=spec,
        pools=tuple(pools),
        workloads=workloads,
        defaults=(*defaults, *find_defaults(spec)),
        warnings=tuple(in_order(problems)),
        file=file,
        sources=sources.texts,
        root=root,
    )
