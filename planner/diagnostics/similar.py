"""What a mistyped name most likely means."""

from __future__ import annotations

from collections.abc import Iterable


def similar(name: str, known: Iterable[str], most: int, least: float) -> list[str]:
    """At most `most` of the known names that are alike to at least `least` (1: the same), best first.

    >>> similar("cotnext", ["context", "kv"], 1, 0.6)
    ['context']
    """
    import difflib  # here, as it is wanted for mistakes alone

    return difflib.get_close_matches(name, list(known), most, least)
