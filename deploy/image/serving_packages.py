"""Print what serving needs of the installed packages, pinned: everything but what only building and exporting need.

Usage: python serving_packages.py [EXTRA ...], in an environment in which Backline is installed with these extras.
"""

import re
import sys
from collections.abc import Iterable
from importlib.metadata import distribution

from packaging.requirements import Requirement

BUILDING = {"torch", "sentence-transformers", "onnxscript"}
"""They make the export once; the image brings it along."""


def closure(name: str, extras: Iterable[str] = (), *, building: bool = False) -> set[str]:
    """Return the names of all packages that one needs, itself included; ``building`` ones only on demand."""
    found: set[str] = set()
    waiting: list[tuple[str, frozenset[str]]] = [(name, frozenset(extras))]
    while waiting:
        current, wanted = waiting.pop()
        key = re.sub(r"[-_.]+", "-", current).lower()
        if key in found or (key in BUILDING and not building):
            continue
        found.add(key)
        for line in distribution(current).requires or ():
            requirement = Requirement(line)
            marker = requirement.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *wanted)):
                waiting.append((requirement.name, frozenset(requirement.extras)))
    return found


if __name__ == "__main__":
    for package in sorted(closure("backline", sys.argv[1:]) - {"backline"}):
        print(f"{package}=={distribution(package).version}")
