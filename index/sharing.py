"""Snapshots between machines: through a shared folder or a store that speaks S3, checked by hash on arrival.

The only file that imports obstore. In the store each snapshot has a folder of its name, as on the disk.
"""

import os
import secrets
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import cast

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import ObjectStore, from_url

from index.errors import NoSnapshotError, StoreError
from index.manifest import MANIFEST, read_manifest, snapshot_folder
from index.publishing import receive_snapshot

_CACHE = "cache"
_CHUNK_BYTES = 1 << 22
MOST_CACHE_BYTES = 500_000_000
"""A cache that is larger is not shared: to send it with every build would cost more than it saves."""


class SnapshotStore:
    """Where machines hand snapshots to each other.

    Args:
        address: ``file:///folder`` that every machine mounts, or ``s3://bucket/prefix``; what the latter needs to know
            (endpoint, keys, region) comes from the usual ``AWS_…`` variables.

    Raises:
        StoreError: the address says nothing.
    """

    def __init__(self, address: str) -> None:
        try:
            self._store: ObjectStore = (
                from_url(address, mkdir=True) if address.startswith("file:") else from_url(address)
            )
        except (BaseError, OSError, ValueError) as error:
            raise StoreError(type(error).__name__) from error

    def send(self, root: Path, snapshot_id: str) -> None:
        """Copy a snapshot into the store, the manifest last; of one that is there what is missing or has another size.

        Raises:
            StoreError: the store does not answer or refuses us.
        """
        folder, manifest = snapshot_folder(root, snapshot_id), read_manifest(root, snapshot_id)
        try:
            sizes = {name: int(facts["bytes"]) for name, facts in manifest.files.items()}
            sizes[MANIFEST] = (folder / MANIFEST).stat().st_size
            there = self._sizes(snapshot_id) if self._has(f"{snapshot_id}/{MANIFEST}") else {}
            for name, size in sizes.items():
                if there.get(f"{snapshot_id}/{name}") != size:
                    with (folder / name).open("rb") as content:
                        obstore.put(self._store, f"{snapshot_id}/{name}", content)
        except (BaseError, OSError) as error:
            raise StoreError(type(error).__name__) from error

    def bring(self, root: Path, snapshot_id: str) -> None:
        """Copy a snapshot from the store below ``root``, check every file, and make it the current one.

        Raises:
            NoSnapshotError: the store does not have it, or no longer.
            DamagedSnapshotError: what arrived is not what its name vouches for; the current one stays.
            ForeignSnapshotError: another version of Backline wrote it.
            StoreError: the store does not answer or refuses us.
        """

        def fetch(name: str, target: Path) -> None:
            try:
                self._copy(f"{snapshot_id}/{name}", target)
            except (NotFoundError, FileNotFoundError):
                raise NoSnapshotError(root, snapshot_id) from None
            except (BaseError, OSError) as error:
                raise StoreError(type(error).__name__) from error

        receive_snapshot(root, snapshot_id, fetch)

    def keep_only(self, names: Collection[str]) -> None:
        """Remove every other snapshot from the store.

        Raises:
            StoreError: the store does not answer or refuses us.
        """
        try:
            found = obstore.list_with_delimiter(self._store)["common_prefixes"]
            for folder in (str(prefix).strip("/") for prefix in found):
                if folder.startswith("snap_") and folder not in names:
                    for batch in obstore.list(self._store, folder):
                        # The manifest first: without it nobody begins to read what is going.
                        paths = sorted((meta["path"] for meta in batch), key=lambda path: not path.endswith(MANIFEST))
                        obstore.delete(self._store, cast("Sequence[str]", paths))
        except (BaseError, OSError) as error:
            raise StoreError(type(error).__name__) from error

    def send_cache(self, file: Path) -> None:
        """Copy the cache of embeddings into the store, so that whoever builds next need not embed everything.

        What was there goes in any case: it may hold what was deleted since.

        Raises:
            StoreError: the store does not answer or refuses us.
        """
        try:
            if file.exists() and file.stat().st_size <= MOST_CACHE_BYTES:
                with file.open("rb") as content:
                    obstore.put(self._store, f"{_CACHE}/{file.name}", content)
            elif self._has(f"{_CACHE}/{file.name}"):
                obstore.delete(self._store, f"{_CACHE}/{file.name}")
        except (BaseError, OSError) as error:
            raise StoreError(type(error).__name__) from error

    def bring_cache(self, file: Path) -> None:
        """Copy the cache of embeddings from the store, if there is one and still none here when it has arrived.

        Its rows carry hashes of their own.

        Raises:
            StoreError: the store does not answer or refuses us.
        """
        file.parent.mkdir(parents=True, exist_ok=True)
        aside = file.with_name(f".{file.name}.{secrets.token_hex(4)}.new")
        try:
            self._copy(f"{_CACHE}/{file.name}", aside)
            with suppress(FileExistsError):  # what another brought or made meanwhile may be in use
                os.link(aside, file)
        except (NotFoundError, FileNotFoundError):
            return
        except (BaseError, OSError) as error:
            raise StoreError(type(error).__name__) from error
        finally:
            aside.unlink(missing_ok=True)

    def _has(self, name: str) -> bool:
        try:
            obstore.head(self._store, name)
        except (NotFoundError, FileNotFoundError):
            return False
        return True

    def _sizes(self, folder: str) -> dict[str, int]:
        return {meta["path"]: meta["size"] for batch in obstore.list(self._store, folder) for meta in batch}

    def _copy(self, name: str, target: Path) -> None:
        with target.open("wb") as file:
            for chunk in obstore.get(self._store, name).stream(min_chunk_size=_CHUNK_BYTES):
                file.write(chunk)
