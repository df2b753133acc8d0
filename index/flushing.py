"""Waiting until what was written is on the disk, so that a power cut cannot take it back."""

import os
from pathlib import Path


def flush_tree(folder: Path) -> None:
    """Flush every file and folder below ``folder``, and at last the folder itself."""
    for path in sorted(folder.rglob("*"), reverse=True):
        flush(path)
    flush(folder)


def flush(path: Path) -> None:
    """Flush one file, or the list of names of one folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
