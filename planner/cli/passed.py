"""Scenarios that passed `planner check` before: the same bytes under the same planner are not checked again.

A pass is an empty file in the user's cache folder whose name is a digest of all that the outcome depends on: the bytes
and the name of the scenario, the day, and the state on disk of planner's own files, the shipped catalog, the installed
packages and Python. Nothing is read from it but that it exists, so it cannot hold a stale text; whatever changes gives
another name. Only scenarios without any problem that stand in one file, without overrides, are remembered.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

FOLDER_VARIABLE = "PLANNER_CACHE_DIR"
"""Environment variable that names the folder; empty: remember nothing."""
MOST = 1000
"""Passes kept; beyond that all are forgotten."""


def pass_of(file: str) -> Path | None:
    """Where a pass of this scenario is kept; None where none may be: standard input, no file, no cache folder."""
    folder = _folder()
    if folder is None or file == "-":
        return None
    try:
        parts = [Path(file).read_bytes(), os.fsencode(file), _day().encode()]
        parts += [sys.version.encode(), *_installed()]
    except (OSError, ValueError):
        return None
    digest = hashlib.blake2b(digest_size=20)
    for part in parts:
        digest.update(len(part).to_bytes(8) + part)
    return folder / digest.hexdigest()


def remember(passed: Path) -> None:
    """Keep a pass; a folder that cannot be written costs nothing but the time of the next check."""
    with contextlib.suppress(OSError):
        passed.parent.mkdir(parents=True, exist_ok=True)
        kept = list(passed.parent.iterdir())
        for old in kept if len(kept) >= MOST else ():
            old.unlink(missing_ok=True)
        passed.touch()


def _folder() -> Path | None:
    given = os.environ.get(FOLDER_VARIABLE)
    if given is not None:
        return Path(given, "passed") if given else None
    home = os.environ.get("LOCALAPPDATA") if sys.platform == "win32" else None
    home = home or os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(home, "planner", "passed") if os.path.isabs(home) else None


def _day() -> str:
    return os.environ.get("PLANNER_TODAY") or date.today().isoformat()


def _installed() -> Iterator[bytes]:
    """The state of each file an outcome rests on; a change time cannot be set back, whatever an installer does."""
    package = Path(__file__).resolve().parent.parent
    shipped = package / "_data" / "catalogs"
    for root in (package, shipped if shipped.is_dir() else package.parent / "catalogs"):
        yield from _states(str(root))
    for name in ("pydantic", "pydantic_core", "yaml", "click"):
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin is not None:
            # Installing or removing anything changes the folder that holds the packages.
            yield _state(spec.origin) + _state(os.path.dirname(os.path.dirname(spec.origin)))


def _states(folder: str) -> Iterator[bytes]:
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda e: e.name):
            if entry.is_dir():
                if entry.name != "__pycache__":
                    yield from _states(entry.path)
            else:
                yield os.fsencode(entry.path) + _of(entry.stat())


def _state(path: str) -> bytes:
    return os.fsencode(path) + _of(os.stat(path))


def _of(found: os.stat_result) -> bytes:
    facts = (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
    return repr(facts).encode()
