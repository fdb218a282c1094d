"""Read a saved plan: whatever is wrong with the file is a located diagnostic, and ends in exit code 1."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import click
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from planner.cli.problems import print_diagnostics
from planner.diagnostics import Diagnostic, DiagnosticError, Severity, Span, summary
from planner.plan.schema import SCHEMA, Plan
from planner.scenario.located import Located, parse_located
from planner.scenario.paths import Step, path_text, span_of
from planner.scenario.sources import STDIN, printable, read_stdin, read_text


class PlanFileProblems(click.ClickException):
    """A plan file that can't be used; `show` prints every problem."""

    exit_code = 1

    def __init__(self, diagnostics: Sequence[Diagnostic], file: str, text: str) -> None:
        """Keep the problems and the text they are in."""
        super().__init__("; ".join(d.message for d in diagnostics))
        self.diagnostics, self.file, self.text = tuple(diagnostics), file, text

    def show(self, file: IO[Any] | None = None) -> None:
        """Print all problems and a count on stderr."""
        print_diagnostics(self.diagnostics, {self.file: self.text})
        click.echo(f"\n{summary(self.diagnostics, self.file, 'Nothing was read.')}", err=True)


class _DuplicateKeyError(ValueError):
    """A key that appears twice in one object."""


def read_plan(path: str) -> Plan:
    """The plan in a JSON file; `-` is standard input.

    Raises:
        PlanFileProblems: With everything wrong with the file.
    """
    name = STDIN if path == "-" else printable(path)
    try:
        text = read_stdin() if path == "-" else read_text(Path(path))
    except DiagnosticError as error:
        raise PlanFileProblems(error.diagnostics, name, "") from None
    try:
        _check_json(text)
        return Plan.model_validate_json(text)
    except json.JSONDecodeError as error:
        span = Span(name, error.lineno, error.colno, error.colno + 1)
        problems = [_error("P005", f"not valid JSON: {error.msg.lower()}", span)]
    except _DuplicateKeyError as error:
        problems = _duplicates(text, name) or [_error("P003", str(error), Span(name, 1, 1, 2))]
    except ValidationError as error:
        root = _located(text, name)
        problems = [_invalid(d, root, name) for d in error.errors(include_url=False)]
    except (ValueError, RecursionError) as error:
        problems = [_error("P005", f"not a saved plan: {error}", Span(name, 1, 1, 2))]
    raise PlanFileProblems(problems, name, text)


def _check_json(text: str) -> None:
    """Refuse what JSON parsers let pass: a key given twice, and numbers that are none."""

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise _DuplicateKeyError("a key is given twice in one object")
        return found

    def refuse(word: str) -> object:
        raise ValueError(f"{word} is not a number")

    json.loads(text, object_pairs_hook=once, parse_constant=refuse)


def _located(text: str, name: str) -> Located:
    """Places of all values; JSON is YAML, except for tabs, where the file's start must do."""
    try:
        return parse_located(text, name)
    except DiagnosticError:
        return Located(Span(name, 1, 1, 2))


def _duplicates(text: str, name: str) -> list[Diagnostic]:
    try:
        parse_located(text, name)
    except DiagnosticError as error:
        return error.diagnostics
    return []


def _invalid(details: ErrorDetails, root: Located, name: str) -> Diagnostic:
    """One validation error in the words of a plan file."""
    steps: list[Step] = list(details["loc"])
    span = span_of(root, steps) if root.mapping is not None else root.span
    where, kind = path_text(steps) or "the file", details["type"]
    if kind == "missing":
        return _error("P103", f"`{where}` is missing", span)
    if kind == "extra_forbidden":
        return _error("P101", f"unknown key `{where}`", span)
    if steps == ["schema"]:
        return _error("P102", f"this planner reads plans of the form `{SCHEMA}`", span)
    return _error("P102", f"invalid value for `{where}`: {details['msg'].lower()}", span)


def _error(code: str, message: str, span: Span) -> Diagnostic:
    hint = "save a plan with `planner solve FILE --format json -o PLAN.json`"
    return Diagnostic(code, Severity.ERROR, message, span, help=(hint,))
