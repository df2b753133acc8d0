"""The engine on servers of its own: Milvus, for collections that one machine cannot hold. The only file with pymilvus.

Each collection of Backline has collections of its own there, so that word weights stay its own. Their name is an
alias: a rebuilt collection is filled beside the old one and takes its place in one step. The calls are those of a
cluster; what answers them may as well be ``milvus-lite server`` on one machine.
"""

import base64
import hashlib
import json
import logging
import re
import secrets
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import Any, Final

import grpc
import numpy as np
from numpy.typing import NDArray
from pymilvus import DataType, Function, FunctionType, MilvusClient
from pymilvus.exceptions import MilvusException

from corpus.records import Passage, Span
from index.engines.protocol import Allowed, Ranked
from index.errors import EngineAwayError, EngineError, ForeignCollectionError
from index.exact import check_unit_length
from index.lexical import K1, B, stems
from index.viewing import Viewed

_NAME_LENGTH: Final = 256
_WORDS_LENGTH: Final = 65_535
_SENTENCES: Final = 4_096
"""Most sentences of a passage: each has a token, and Milvus takes no longer list."""

_AT_ONCE: Final = 500
_MOST: Final = 16_384
"""Rows that Milvus returns at most."""

_TIMEOUT_SECONDS: Final = 10.0
_CHECK_SECONDS: Final = 2.0
"""For connecting and for asking whether anybody is there."""

_SETTLE_SECONDS: Final = 300.0
"""For what a busy cluster may take long to do: to make and load a collection, to index its rows."""

_QUIET: Final = {"grpc.keepalive_permit_without_calls": 0, "grpc.client_idle_timeout_ms": 60_000}
"""An idle connection is not tested: a server by gRPC's defaults drops whoever asks it "are you there?" often.

After a minute it is closed, and the next call opens it anew: what cuts idle connections off silently comes too late.
"""

_SAID: Final = "Milvus (BACKLINE_MILVUS_URI) does not answer, or refuses us: {}"
_FIELDS: Final = ["passage", "vector", "views"]
_UNAVAILABLE: Final = 2
"""The last code of those that say that nobody is there, or not yet; greater ones refuse what was asked."""

_ABSENT: Final = (
    None,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.UNAVAILABLE,
)
"""What gRPC itself says of nobody being there."""


class MilvusPassages:
    """The passages of one collection in Milvus.

    Args:
        client: The connection, see :func:`connect`.
        collection: Name of the collection; made when missing.
        model_id: Model that makes the vectors.
        dimension: Length of a vector.
        prefix: What the names of all collections of one installation begin with.
        make: Whether to make the collection when it is missing.

    Raises:
        ForeignCollectionError: another model's vectors are in it.
        EngineError: Milvus does not answer or refuses, or the collection is missing.
    """

    def __init__(
        self,
        client: MilvusClient,
        collection: str,
        model_id: str,
        dimension: int,
        prefix: str = "backline",
        *,
        make: bool = True,
    ) -> None:
        self._client = client
        self._model = hashlib.sha256(model_id.encode()).hexdigest()[:8]
        self._dimension = dimension
        self._alias = _alias(prefix, collection)
        self._target = self._alias
        with _errors():
            if not client.has_collection(self._alias, timeout=_TIMEOUT_SECONDS):
                if not make:
                    raise EngineError("Milvus has lost a collection: fill it anew with `backline index --rebuild`")
                self._make_first()
            name = client.describe_alias(self._alias, timeout=_TIMEOUT_SECONDS)["collection_name"]
        if name.split("_")[-2] != self._model:
            raise ForeignCollectionError(collection, model_id)

    def add(self, passages: Sequence[Viewed]) -> None:
        """Take passages in; what has the id of one that is there takes its place."""
        if passages:
            check_unit_length(np.stack([one.vector for one in passages]))
        rows = [_row(one) for one in passages]
        with _errors():
            for begin in range(0, len(rows), _AT_ONCE):
                self._client.upsert(self._target, rows[begin : begin + _AT_ONCE], timeout=_TIMEOUT_SECONDS)

    def delete_documents(self, names: Collection[str], but: Collection[str] = ()) -> None:
        """Take the passages of these documents out, but for some."""
        if names:
            which = f"document_id in {_list(names)}" + (f" and id not in {_list(but)}" if but else "")
            with _errors():
                self._client.delete(self._target, filter=which, timeout=_TIMEOUT_SECONDS)

    def fetch(self, names: Collection[str]) -> dict[str, Viewed]:
        """Return passages with their vectors by id."""
        if not names:
            return {}
        with _errors():
            rows = self._client.query(
                self._target,
                filter=f"id in {_list(names)}",
                output_fields=_FIELDS,
                consistency_level="Strong",
                timeout=_TIMEOUT_SECONDS,
            )
        return {one.passage.id: one for one in map(_kept, rows)}

    def everything(self) -> Iterator[Viewed]:
        """Yield every passage with its vectors."""
        with _errors():
            pages = self._client.query_iterator(
                self._target,
                batch_size=_AT_ONCE,
                output_fields=_FIELDS,
                consistency_level="Strong",
                timeout=_TIMEOUT_SECONDS,
            )
        try:
            while True:
                with _errors():
                    rows = pages.next()
                if not rows:
                    return
                yield from map(_kept, rows)
        finally:
            with suppress(EngineError), _errors():
                pages.close()

    @contextmanager
    def replacing(self) -> Iterator["MilvusPassages"]:
        """Give an empty collection to fill; the alias moves to it when the block ends without a fault."""
        newer = object.__new__(MilvusPassages)
        newer.__dict__.update(self.__dict__)
        with _errors():
            before = self._client.describe_alias(self._alias, timeout=_TIMEOUT_SECONDS)["collection_name"]
            newer._target = self._make()
        try:
            yield newer
            with _errors():
                self._client.alter_alias(newer._target, self._alias, timeout=_TIMEOUT_SECONDS)
        except BaseException:
            with suppress(EngineError), _errors():  # what led here is the fault to tell
                self._client.drop_collection(newer._target, timeout=_TIMEOUT_SECONDS)
            raise
        newer._target = self._alias
        with _errors():
            self._client.drop_collection(before, timeout=_TIMEOUT_SECONDS)

    def __len__(self) -> int:
        with _errors():
            rows = self._client.query(
                self._target,
                filter="",
                output_fields=["count(*)"],
                consistency_level="Strong",
                timeout=_TIMEOUT_SECONDS,
            )
        return int(rows[0]["count(*)"])

    def search_dense(self, vector: NDArray[np.float32], k: int, allowed: Allowed | None = None) -> list[Ranked]:
        """Return the ``k`` nearest passages by cosine, best first."""
        check_unit_length(vector[np.newaxis, :])
        hits = self._search([float(value) for value in vector], "vector", k, allowed)
        return [Ranked(one.passage, min(1.0, max(-1.0, one.score)), one.rank) for one in hits]

    def search_lexical(self, query: str, k: int, allowed: Allowed | None = None) -> list[Ranked]:
        """Return at most ``k`` passages that share a word with the query, by BM25, best first."""
        words = _words(query)
        if not words:
            return []
        # The sign of a BM25 score differs between servers, its order does not.
        return self._search(words, "sparse", k, allowed, absolute=True)

    def _search(
        self, wanted: list[float] | str, field: str, k: int, allowed: Allowed | None, *, absolute: bool = False
    ) -> list[Ranked]:
        """Search one field; of rows that tie for the last place those of the first ids come back."""
        if k < 1:
            raise ValueError(f"k must be at least 1, got {k}")
        if allowed is not None and allowed.source_ids is not None and not allowed.source_ids:
            return []
        limit = min(k + 1, _MOST)
        while True:
            with _errors():
                rows = self._client.search(
                    self._target,
                    data=[wanted],
                    anns_field=field,
                    limit=limit,
                    filter=_filter(allowed),
                    output_fields=["passage"],
                    consistency_level="Strong",
                    timeout=_TIMEOUT_SECONDS,
                )[0]
            scores = [abs(row["distance"]) if absolute else float(row["distance"]) for row in rows]
            if len(rows) < limit or scores[k - 1] != scores[-1] or limit == _MOST:
                break
            limit = min(2 * limit, _MOST)
        found = sorted(zip(scores, (row["entity"]["passage"] for row in rows), strict=True), key=_order)
        return [Ranked(_passage(fields), score, rank) for rank, (score, fields) in enumerate(found[:k], start=1)]

    def _make_first(self) -> None:
        """Make the collection; of several that do so at once one is first, and the others take what it made."""
        made = self._make()
        try:
            self._client.create_alias(made, self._alias, timeout=_TIMEOUT_SECONDS)
        except MilvusException:
            self._client.drop_collection(made, timeout=_TIMEOUT_SECONDS)
            if not self._client.has_collection(self._alias, timeout=_TIMEOUT_SECONDS):
                raise

    def _make(self) -> str:
        """Make an empty collection and return its name, which says whose vectors it takes."""
        name = f"{self._alias}_{self._model}_{secrets.token_hex(4)}"
        schema = MilvusClient.create_schema(auto_id=False)
        for field in ("id", "source_id", "document_id"):
            schema.add_field(field, DataType.VARCHAR, is_primary=field == "id", max_length=_NAME_LENGTH)
        schema.add_field(
            "words",
            DataType.VARCHAR,
            max_length=_WORDS_LENGTH,
            enable_analyzer=True,
            analyzer_params={"tokenizer": "standard"},
        )
        schema.add_field("passage", DataType.JSON)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=self._dimension)
        schema.add_field(
            "views",
            DataType.ARRAY,
            element_type=DataType.VARCHAR,
            max_capacity=_SENTENCES,
            max_length=4 * -(-self._dimension // 3),
        )
        schema.add_field("sparse", DataType.SPARSE_FLOAT_VECTOR)
        schema.add_function(
            Function(
                name="bm25",
                function_type=FunctionType.BM25,
                input_field_names=["words"],
                output_field_names=["sparse"],
            )
        )
        indexes = self._client.prepare_index_params()
        indexes.add_index("vector", index_type="FLAT", metric_type="IP")
        weights = {"bm25_k1": K1, "bm25_b": B}
        indexes.add_index("sparse", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25", params=weights)
        indexes.add_index("document_id", index_type="INVERTED")
        indexes.add_index("source_id", index_type="INVERTED")
        self._client.create_collection(
            name, schema=schema, index_params=indexes, consistency_level="Strong", timeout=_SETTLE_SECONDS
        )
        return name


class MilvusServer:
    """A Milvus, and what one installation keeps there.

    Args:
        uri: Its address, ``http://host:19530``.
        token: ``user:password``, or "".
        model_id: Model that makes the vectors.
        dimension: Length of a vector.
        prefix: What the names of all collections of this installation begin with.
    """

    def __init__(self, uri: str, token: str, model_id: str, dimension: int, prefix: str) -> None:
        self._uri = uri
        self._token = token
        self._model_id = model_id
        self._dimension = dimension
        self._prefix = prefix
        self._client: MilvusClient | None = None
        self._lock = threading.Lock()

    def open(self, name: str, *, make: bool = False) -> MilvusPassages:
        """Open a collection, made when missing if that is wanted.

        Raises:
            EngineError: Milvus does not answer or refuses, or the collection is missing.
        """
        return MilvusPassages(self._connected(), name, self._model_id, self._dimension, self._prefix, make=make)

    def has(self, name: str) -> bool:
        """Whether there is a collection of that name.

        Raises:
            EngineError: Milvus does not answer or refuses.
        """
        client = self._connected()
        with _errors():
            return bool(client.has_collection(_alias(self._prefix, name), timeout=_TIMEOUT_SECONDS))

    def keep_only(self, names: Callable[[], Collection[str]]) -> None:
        """Remove every other collection of this installation; one that is made meanwhile stays.

        Args:
            names: Asked for once it is known which collections there are: whoever needs one of these has said so.

        Raises:
            EngineError: Milvus does not answer or refuses.
        """
        client = self._connected()
        with _errors():
            there = client.list_collections(timeout=_TIMEOUT_SECONDS)
        kept = {_alias(self._prefix, name) for name in names()}
        with _errors():
            for collection in there:
                alias = "_".join(collection.split("_")[:-2])
                if alias.startswith(f"{self._prefix}_") and alias not in kept:
                    if client.has_collection(alias, timeout=_TIMEOUT_SECONDS):
                        client.drop_alias(alias, timeout=_TIMEOUT_SECONDS)
                    client.drop_collection(collection, timeout=_TIMEOUT_SECONDS)

    def settle(self, name: str) -> None:
        """Have a collection's latest rows indexed: until then each search reads them one by one.

        Raises:
            EngineError: Milvus does not answer or refuses.
        """
        client = self._connected()
        with _errors():
            client.flush(_alias(self._prefix, name), timeout=_SETTLE_SECONDS)

    def check(self) -> None:
        """Ask whether Milvus answers.

        Raises:
            EngineError: it does not.
        """
        client = self._connected()
        with _errors():
            client.has_collection(self._prefix, timeout=_CHECK_SECONDS)

    def _connected(self) -> MilvusClient:
        if not self._lock.acquire(timeout=_CHECK_SECONDS):  # another tries, which takes as long where nobody is
            raise EngineAwayError(_SAID.format("it takes long to connect"))
        try:
            if self._client is None:
                self._client = connect(self._uri, self._token)
            return self._client
        finally:
            self._lock.release()


def connect(uri: str, token: str = "") -> MilvusClient:
    """Connect to a Milvus.

    Args:
        uri: Its address, ``http://host:19530``.
        token: ``user:password``, or "".

    Raises:
        EngineAwayError: nobody answers there.
    """
    logging.getLogger("pymilvus").setLevel(logging.CRITICAL)  # its faults reach our log through ours
    with _errors():
        return MilvusClient(uri, token=token, timeout=_CHECK_SECONDS, grpc_options=_QUIET)


def _alias(prefix: str, collection: str) -> str:
    return f"{prefix}_{hashlib.sha256(collection.encode()).hexdigest()[:16]}"


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except grpc.RpcError as error:
        code = getattr(error, "code", lambda: None)()
        says = type(error).__name__ if code is None else f"code {code.name}"
        raise (EngineAwayError if code in _ABSENT else EngineError)(_SAID.format(says)) from error
    except MilvusException as error:
        refused = isinstance(error.code, int) and error.code > _UNAVAILABLE
        raise (EngineError if refused else EngineAwayError)(_SAID.format(f"code {error.code}")) from error


def _row(viewed: Viewed) -> dict[str, Any]:
    passage = viewed.passage
    return {
        "id": passage.id,
        "source_id": passage.source_id,
        "document_id": passage.document_id,
        "words": _words(passage.embedded_text),
        "passage": asdict(passage),
        "vector": [float(value) for value in viewed.vector],
        "views": [base64.b64encode(row.tobytes()).decode("ascii") for row in viewed.views],
    }


def _kept(row: dict[str, Any]) -> Viewed:
    passage, vector = _passage(row["passage"]), np.array(row["vector"], dtype=np.float32)
    views = np.frombuffer(b"".join(map(base64.b64decode, row["views"])), dtype=np.int8)
    return Viewed(passage, vector, views.reshape(len(passage.sentences), len(vector)))


def _passage(fields: dict[str, Any]) -> Passage:
    return Passage(
        **{
            **fields,
            "span": Span(**fields["span"]),
            "heading_path": tuple(fields["heading_path"]),
            "sentences": tuple(Span(**span) for span in fields["sentences"]),
        }
    )


def _words(text: str) -> str:
    """Return our own stems, spelt so that the server's tokenizer takes each of them for one word."""
    return " ".join(re.sub(r"[^a-z0-9]", lambda char: f"x{ord(char[0]):x}x", stem) for stem in stems(text))


def _filter(allowed: Allowed | None) -> str:
    parts = []
    if allowed is not None and allowed.source_ids is not None:
        parts.append(f"source_id in {_list(allowed.source_ids)}")
    if allowed is not None and allowed.withdrawn:
        parts.append(f"document_id not in {_list(allowed.withdrawn)}")
    return " and ".join(parts)


def _list(names: Collection[str]) -> str:
    """Return names as a list of Milvus' expressions; quotes and backslashes in them stay names."""
    return json.dumps(sorted(names), ensure_ascii=False)


def _order(item: tuple[float, dict[str, Any]]) -> tuple[float, str]:
    return -item[0], str(item[1]["id"])
