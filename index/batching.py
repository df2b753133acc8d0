"""Questions that come at the same time share a batch of the model."""

import threading
from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from corpus.records import Span
from index.embedding import Embedder, Progress

MOST = 8
"""Texts that share a batch: beyond that the model gains next to nothing."""

LONG_AT_ONCE = 2
"""Calls with several texts that are computed at the same time, beside the batch that is shared."""

_WORDS = (
    "Does a hot bath or some ice help more when the back is sore and stiff in the morning, or is it better to get up, "
    "walk a little and rest only when the pain is bad at night? My doctor said that most people feel better after two "
    "weeks, but this has been going on for a month now and I want to know what to do next."
).split()
_PROBES = tuple(" ".join(_WORDS[:count]) for count in (1, 3, 5, 12, 16, 46, 51, 54))
"""``MOST`` texts of 3 to 60 tokens, of which some are so alike in length that they are computed together."""


class BatchingEmbedder:
    """Another embedder for several threads at once, with its vectors.

    There is no thread of its own and no waiting for company: who comes while no batch is computed starts at once,
    alone; who comes later waits, and is computed with all who wait by the first of them as soon as the batch is done.
    So a lone asker waits for nothing, and many share. A call with several texts is a batch already, and shares none.

    A text is never in a batch with another's where that would change its vector, be it by the last bit: the same
    question would then not always get the same reply. Some probes tell: until :meth:`probe`, none is shared.

    Args:
        embedder: Makes the vectors; safe to call from several threads.
    """

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._most = 1
        self._lock = threading.Lock()
        self._waiting: deque[_Wish] = deque()
        self._computing = False
        self._long = threading.BoundedSemaphore(LONG_AT_ONCE)

    def probe(self) -> None:
        """Find out whether a batch changes a vector, and share batches from now on if not: a tenth of a second."""
        together = self._embedder.embed(_PROBES)
        apart = np.concatenate([self._embedder.embed([probe]) for probe in _PROBES])
        self._most = MOST if np.array_equal(together, apart) else 1

    @property
    def shares(self) -> bool:
        """Whether texts of several callers share a batch."""
        return self._most > 1

    @property
    def model_id(self) -> str:
        """See :class:`index.embedding.Embedder`."""
        return self._embedder.model_id

    @property
    def dimension(self) -> int:
        """See :class:`index.embedding.Embedder`."""
        return self._embedder.dimension

    @property
    def token_budget(self) -> int:
        """See :class:`index.embedding.Embedder`."""
        return self._embedder.token_budget

    def count_tokens(self, text: str) -> int:
        """See :class:`index.embedding.Embedder`."""
        return self._embedder.count_tokens(text)

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> NDArray[np.float32]:
        """Return one unit vector a text; ``progress`` is told at the end."""
        if len(texts) != 1:
            with self._long:
                return self._embedder.embed(texts, progress)
        wish = _Wish(texts[0])
        with self._lock:
            at_once = not self._computing
            if at_once:
                self._computing = True
            else:
                self._waiting.append(wish)
        if not at_once:
            wish.turn.acquire()
        if wish.vectors is None and wish.error is None:
            self._compute((wish, *wish.company))
        if wish.error is not None:
            raise wish.error
        if progress is not None:
            progress(len(texts), len(texts))
        assert wish.vectors is not None  # noqa: S101 - a wish is granted or has failed
        return wish.vectors

    def embed_parts(
        self, texts: Sequence[str], parts: Sequence[Sequence[Span]], progress: Progress | None = None
    ) -> tuple[NDArray[np.float32], list[NDArray[np.float32]]]:
        """See :class:`index.embedding.Embedder`."""
        with self._long:
            return self._embedder.embed_parts(texts, parts, progress)

    def _compute(self, wishes: Sequence["_Wish"]) -> None:
        """Grant wishes, then hand the place over to the first who waits, with those who fit in beside it."""
        try:
            vectors = self._embedder.embed([wish.text for wish in wishes])
            for place, wish in enumerate(wishes):
                wish.vectors = vectors[place : place + 1]
        except Exception as error:  # noqa: BLE001 - it is raised by each who waits
            for wish in wishes:
                wish.error = error
        finally:
            self._hand_over()
            for wish in wishes[1:]:
                wish.turn.release()

    def _hand_over(self) -> None:
        with self._lock:
            if not self._waiting:
                self._computing = False
                return
            first = self._waiting.popleft()
            while self._waiting and len(first.company) + 1 < self._most:
                first.company.append(self._waiting.popleft())
        first.turn.release()


class _Wish:
    """A text that somebody waits for.

    Attributes:
        text: The text.
        vectors: Its vector, shape ``(1, dimension)``, once it is there.
        error: What went wrong instead.
        company: Who is computed with it, when it is its turn to compute.
        turn: Released when it is.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.vectors: NDArray[np.float32] | None = None
        self.error: Exception | None = None
        self.company: list[_Wish] = []
        self.turn = threading.Lock()
        self.turn.acquire()
