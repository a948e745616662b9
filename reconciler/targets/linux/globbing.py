"""Glob patterns, expanded through a `Tree` so that an image is searched inside itself.

As glob(7): ``*``, ``?`` and ``[...]`` match inside one component, and never a leading dot. There is
no ``**``. A directory that may not be listed is an error: "no match" would be a guess.
"""

import errno
import re
from collections.abc import Iterator
from fnmatch import translate
from functools import lru_cache

from reconciler.targets.linux.no_answer import NoAnswer, from_os_error
from reconciler.targets.linux.tree import Tree

_MAGIC = re.compile(r"[*?\[]")
_NOTHING_THERE = frozenset({errno.ENOENT, errno.ENOTDIR})


def is_pattern(path: str) -> bool:
    """Whether a path holds a wildcard."""
    return _MAGIC.search(path) is not None


def expand(tree: Tree, pattern: str, limit: int) -> list[str]:
    """Paths that a pattern names; a part after the last wildcard may not exist.

    Args:
        tree: Where to look.
        pattern: An absolute pattern.
        limit: Most paths that are followed at any level.

    Raises:
        NoAnswer: A directory may not be listed, or there are more paths than ``limit``.
    """
    paths = [""]
    for part in pattern.split("/"):
        if not part:
            continue
        if is_pattern(part):
            paths = [path for base in paths for path in _matches(tree, base, part)]
        else:
            paths = [f"{base}/{part}" for base in paths]
        if len(paths) > limit:
            raise NoAnswer("error", f"more than {limit} paths match")
    return paths


def _matches(tree: Tree, base: str, part: str) -> Iterator[str]:
    try:
        names = tree.names(base or "/")
    except OSError as error:
        if error.errno in _NOTHING_THERE:
            return
        raise from_os_error(error, base) from error
    hidden, matcher = part.startswith("."), _compiled(part)
    for name in names:
        if (hidden or not name.startswith(".")) and matcher.match(name):
            yield f"{base}/{name}"


@lru_cache(maxsize=256)
def _compiled(part: str) -> re.Pattern[str]:
    return re.compile(translate(part))
