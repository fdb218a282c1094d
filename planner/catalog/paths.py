"""Where the shipped data lies: inside an installed wheel, or at the root of a clone."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


@cache
def data_dir(name: str) -> Path:
    """Folder `catalogs` or `scenarios` as shipped.

    >>> data_dir("catalogs").name
    'catalogs'
    """
    installed = _PACKAGE / "_data" / name
    return installed if installed.is_dir() else _PACKAGE.parent / name
