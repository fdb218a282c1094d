"""Changes to one workload or its GPUs, each tried by fitting again: those that work, and those that cannot."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from planner.options.asks import Ask, PoolFacts
from planner.options.consider import consider_one
from planner.options.describe import layout_text
from planner.options.explain.ask_changes import after, ask_searches, lifted_wishes
from planner.options.explain.changes import Change, Search, least, single
from planner.options.explain.larger import best_option, more_gpus
from planner.options.records import Considered, Option, Reason, Rejection
from planner.options.refusals import nearest_miss
from planner.units import HOUR_S, duration


@dataclass(frozen=True, slots=True)
class Outlook:
    """Changes that were confirmed to make it fit, and obvious ones that do not."""

    help: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def outlook(ask: Ask, pools: tuple[PoolFacts, ...], rejections: Sequence[Rejection]) -> Outlook:
    """Try each change alone, on top of lifting what the GPUs cannot do at all."""
    lifted = lifted_wishes(ask, {r.reason for r in rejections})
    base = ask if lifted is None or lifted.ask is None else lifted.ask(ask)
    searches = [s if lifted is None else after(lifted, s) for s in ask_searches(base)]
    if lifted is not None:
        searches.insert(0, single(lifted))
    helps: list[str] = []
    failed: list[tuple[str, Rejection | None]] = []
    for search in searches:
        best, near = _tried(search, ask, pools)
        if best is not None:
            helps.append(f"{best[0].text}: {option_words(best[1])}")
        else:
            failed.append((search.widest, near))
    more = more_gpus(base, pools)
    if more:
        helps.append(f"{lifted.text} and {more}" if lifted else more)
    before = None if lifted else nearest_miss(rejections)
    return Outlook(tuple(helps), refused_words(failed, before))


def _tried(
    search: Search, ask: Ask, pools: tuple[PoolFacts, ...]
) -> tuple[tuple[Change, Option] | None, Rejection | None]:
    """The least step that fits with its best option, or the nearest miss of the loosest."""
    seen: dict[str, list[Considered]] = {}

    def works(change: Change) -> bool:
        if change.text not in seen:
            assert change.ask is not None
            changed = change.ask(ask)
            seen[change.text] = [consider_one(changed, p) for p in pools]
        return best_option(seen[change.text]) is not None

    change = least(search, works)
    if change is None:
        parts = seen[search.loosest.text]
        return None, nearest_miss(r for c in parts for r in c.rejections)
    option = best_option(seen[change.text])
    assert option is not None
    return (change, option), None


def refused_words(
    failed: Iterable[tuple[str, Rejection | None]], before: Rejection | None = None
) -> tuple[str, ...]:
    """Changes that do not help, those ruled out by the same number told together.

    Args:
        failed: Changes with the nearest miss that each leaves.
        before: The nearest miss without any change: what leaves it as it is makes no difference.
    """
    grouped: dict[str, list[tuple[str, Rejection]]] = {}
    idle: list[str] = []
    for text, near in failed:
        if near is None:
            continue
        if before is not None and _same(near, before):
            idle.append(text)
            continue
        key = ruled_out(near) if near.reason is Reason.MEMORY else near.message
        grouped.setdefault(key, []).append((text, near))
    notes = [_note([t for t, _ in members], members[0][1]) for members in grouped.values()]
    if idle:
        notes.append(f"no difference: {_or(idle, 'and')}")
    return tuple(notes)


def _same(a: Rejection, b: Rejection) -> bool:
    if a.reason is not b.reason:
        return False
    if a.need is None or b.need is None or a.have is None or b.have is None:
        return a.message == b.message
    return abs(a.need - b.need) <= 0.01 * abs(b.need) and abs(a.have - b.have) <= 0.01 * abs(b.have)


def _note(texts: list[str], near: Rejection) -> str:
    verb = "does" if len(texts) == 1 else "do"
    return f"{listed(texts)} {verb} not help: {ruled_out(near)}"


def ruled_out(near: Rejection) -> str:
    """The number that rules a layout out, with the layout where it is the subject of the sentence."""
    if near.reason in (Reason.MEMORY, Reason.DEADLINE):
        return f"{layout_text(near.layout)} {near.message}"
    if near.reason in (Reason.HOST_RAM, Reason.NVME):
        return f"{layout_text(near.layout)}: {near.message}"
    return near.message


def listed(texts: Sequence[str]) -> str:
    """Changes in a row; what they begin with in common is said once.

    >>> listed(["`a` and `b`", "`a` and `c`", "`a`"])
    '`a`, alone or with `b` or `c`,'
    """
    if len(texts) == 1:
        return texts[0]
    heads = {t.split(" and ")[0] for t in texts}
    tails = [t.split(" and ", 1)[1] for t in texts if " and " in t]
    if len(heads) == 1 and tails:
        alone = "alone or with" if len(tails) < len(texts) else "with"
        return f"{heads.pop()}, {alone} {_or(tails)},"
    return _or(list(texts), "and")


def _or(texts: list[str], word: str = "or") -> str:
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} {word} {texts[-1]}"


def option_words(option: Option, replicas: int | None = None) -> str:
    """An option in a sentence: how many GPUs of which pool, as what, how full."""
    count = option.gpus * (option.replicas if replicas is None else replicas)
    account = option.account
    text = (
        f"{count} GPU{'s' if count != 1 else ''} of `{option.pool}` as "
        f"{layout_text(option.layout)}, {account.upper_gib:.1f} of {account.usable_low_gib:.1f} GiB "
        "per GPU"
    )
    if option.timing.hours is not None and option.layout.micro_batch:
        text += f", {duration(option.timing.hours * HOUR_S)}"
    return text
