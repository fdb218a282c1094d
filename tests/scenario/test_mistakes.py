"""Each mistake gets a located message that names the way out; never a traceback, never a library's words."""

import re
from collections.abc import Callable, Iterator

import pytest

from planner.diagnostics import Diagnostic, render_text
from scenario.conftest import BASE
from scenario.mistakes import MISTAKES

Found = Callable[[str], list[Diagnostic]]
FOREIGN = re.compile(
    r"Input should|pydantic|validation error|type=|ValueError|Traceback|union|tag\b.*using|NoneType|discriminat"
)


def underlined(text: str, found: Diagnostic) -> str:
    assert found.span is not None, found
    line = text.splitlines()[found.span.line - 1]
    return line[found.span.column - 1 : found.span.end_column - 1]


def words_of(found: Diagnostic) -> str:
    labels = " ".join(label.text for label in found.labels)
    return " ".join([found.message, found.label, labels, *found.notes, *found.help])


def check_words(found: list[Diagnostic]) -> None:
    for d in found:
        assert not FOREIGN.search(words_of(d)), words_of(d)
        assert d.help or d.label, d
        assert d.message[0].islower() or d.message[0] in "`0123456789", d.message
        assert not d.message.endswith(".")


@pytest.mark.parametrize(("old", "new", "code", "at", "names"), MISTAKES)
def test_hand_written(found: Found, old: str, new: str, code: str, at: str, names: str) -> None:
    assert BASE.count(old) == 1, f"not once in the base: {old!r}"
    text = BASE.replace(old, new)
    diagnostics = found(text)
    check_words(diagnostics)
    hits = [d for d in diagnostics if d.code == code and names in words_of(d)]
    assert hits, render_text(diagnostics)
    if at:
        assert at in [underlined(text, d) for d in hits], render_text(diagnostics)
    others = {d.code for d in diagnostics if d.code < "P400"} - {code}
    assert not others or code in ("P101", "P102", "P103"), render_text(diagnostics)


# ---------------------------------------------------------------------------------------- generated


def keys() -> Iterator[tuple[int, int, str]]:
    """Line, column and name of every key of the base scenario."""
    for number, line in enumerate(BASE.splitlines(), 1):
        if line.startswith("#"):
            continue
        for match in re.finditer(r"(?<=[\s{-])([a-z_]+0?)(?=:\s|:$)|^([a-z]+)(?=:)", line):
            yield number, match.start() + 1, match[0]


def replaced(line: int, column: int, old: str, new: str) -> str:
    lines = BASE.splitlines()
    head, tail = lines[line - 1][: column - 1], lines[line - 1][column - 1 :]
    assert tail.startswith(old)
    lines[line - 1] = head + new + tail[len(old) :]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(("line", "column", "key"), list(keys()))
def test_every_key_misspelt(found: Found, line: int, column: int, key: str) -> None:
    wrong = key[:-1] + "x" if len(key) > 3 else key + "x"
    diagnostics = found(replaced(line, column, key, wrong))
    check_words(diagnostics)
    at = [
        d
        for d in diagnostics
        if d.code == "P101" and (d.span and d.span.line, d.span and d.span.column) == (line, column)
    ]
    if key == "kind":  # without its kind nothing else of a workload can be judged
        assert any(d.code == "P103" and "kind" in d.message for d in diagnostics)
        return
    assert at, render_text(diagnostics)
    assert f"`{key}`" in words_of(at[0])
    assert not [d for d in diagnostics if d.code == "P103"], "a misspelt key is not missing as well"


def quantities() -> Iterator[tuple[int, int, str]]:
    """Line, column and text of every quantity of the base scenario."""
    for number, line in enumerate(BASE.splitlines(), 1):
        for match in re.finditer(r"(?<=: )(\d[\d.]* [A-Za-z/][\w/-]*)(?=[,}]|$)", line):
            yield number, match.start() + 1, match[0]


@pytest.mark.parametrize(("line", "column", "text"), list(quantities()))
@pytest.mark.parametrize("ending", ["", " parsecs", " gigs"])
def test_every_unit_missing_or_unknown(
    found: Found, line: int, column: int, text: str, ending: str
) -> None:
    number = text.split()[0]
    diagnostics = found(replaced(line, column, text, number + ending))
    check_words(diagnostics)
    at = [
        d
        for d in diagnostics
        if d.code == "P110" and d.span and (d.span.line, d.span.column) == (line, column)
    ]
    assert at, render_text(diagnostics)
    assert re.search(r"accepted units|write", words_of(at[0]))


def test_enough_mistakes() -> None:
    assert len(MISTAKES) + len(list(keys())) + 3 * len(list(quantities())) >= 300
    assert len(MISTAKES) >= 200


def test_base_is_clean(found: Found) -> None:
    assert found(BASE) == []


def test_all_problems_at_once_sorted_by_line(found: Found) -> None:
    text = (
        BASE.replace("host_ram: 512 GiB", "host_ram: 512")
        .replace("model: llama-3.1-8b", "model: lama-3.1-8b")
        .replace("zero: [1, 2, 3]", "zero: 5")
        .replace("min: 2", "min: 4, max: 2")
    )
    diagnostics = found(text)
    assert [d.code for d in diagnostics] == ["P110", "P201", "P210", "P102"]
    lines = [d.span.line for d in diagnostics if d.span]
    assert lines == sorted(lines)


def test_same_key_misspelt_under_every_kind_names_it(found: Found) -> None:
    for kind in ("inference", "batch", "embedding", "full", "lora", "qlora"):
        text = BASE.replace("kind: inference", f"kind: {kind}\n    prioritty: 1")
        hit = [d for d in found(text) if "prioritty" in d.message]
        assert len(hit) == 1
        assert "`priority`" in words_of(hit[0])
