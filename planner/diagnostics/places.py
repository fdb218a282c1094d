"""How a file is named in messages."""

from __future__ import annotations

STDIN = "<stdin>"
"""What standard input is called."""


def printable(text: str) -> str:
    r"""The text with bytes that were no UTF-8, as in a file name, written out.

    >>> print(printable("caf\udce9"))
    caf\udce9
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
