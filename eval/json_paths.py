"""Paths into JSON: the part of RFC 9535 that names places, nothing that computes.

``$`` is the whole reply and ``@`` the element at hand; then come ``.name``, ``['any name']``, ``[0]``, ``[-1]`` and
``[*]`` in any order. A place that is not there gives nothing, it is no error: replies leave out what is empty.
"""

import re
from dataclasses import dataclass
from typing import Any

from eval.errors import MappingError

_STEP = re.compile(r"""\.(?P<name>[A-Za-z_][\w-]*)|\['(?P<quoted>[^']*)'\]|\[(?P<index>-?\d+)\]|\[(?P<all>\*)\]""")


@dataclass(frozen=True, slots=True)
class JsonPath:
    """A parsed path.

    Attributes:
        text: As it was written.
        from_root: Whether it starts at the whole reply rather than at the element at hand.
        steps: A name, an index, or None for every element.
    """

    text: str
    from_root: bool
    steps: tuple[str | int | None, ...]

    def values(self, root: Any, element: Any = None) -> list[Any]:
        """Return every value at the path, in order; empty where there is none."""
        found = [root if self.from_root else element]
        for step in self.steps:
            found = [value for one in found for value in _children(one, step)]
        return found

    def first(self, root: Any, element: Any = None) -> Any:
        """Return the first value at the path, None where there is none."""
        return next(iter(self.values(root, element)), None)


def parse_path(text: str) -> JsonPath:
    """Read a path.

    Raises:
        MappingError: it is no path of this form.
    """
    if not text or text[0] not in "$@":
        raise MappingError(f'"{text}" is no path: it starts with $ (the reply) or @ (the element at hand)')
    steps: list[str | int | None] = []
    at = 1
    while at < len(text):
        step = _STEP.match(text, at)
        if step is None:
            raise MappingError(f'"{text}" is no path: nothing can be read from "{text[at:]}" on')
        if step["all"]:
            steps.append(None)
        elif step["index"] is not None:
            steps.append(int(step["index"]))
        else:
            steps.append(step["name"] if step["name"] is not None else step["quoted"])
        at = step.end()
    return JsonPath(text, text[0] == "$", tuple(steps))


def _children(value: Any, step: str | int | None) -> list[Any]:
    if step is None:
        return list(value) if isinstance(value, list) else list(value.values()) if isinstance(value, dict) else []
    if isinstance(step, str):
        return [value[step]] if isinstance(value, dict) and step in value else []
    return [value[step]] if isinstance(value, list) and -len(value) <= step < len(value) else []
