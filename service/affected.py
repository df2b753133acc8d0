"""Which kept answers rest on words that their source does not have any more."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from corpus.records import Document
from service.storage.answers import StoredAnswer


@dataclass(frozen=True, slots=True)
class Affected:
    """One kept answer that lost its ground.

    Attributes:
        answer: The answer.
        gone: The quotes that are gone, in the order of its citations.
        withdrawn: Whether the whole document is.
    """

    answer: StoredAnswer
    gone: tuple[str, ...]
    withdrawn: bool


def find_affected(name: str, answers: Iterable[StoredAnswer], documents: Iterable[Document]) -> Iterator[Affected]:
    """Yield the answers that cite words which a source, or one document, no longer has; none that it still has.

    Args:
        name: Id of a source or of a document.
        answers: The kept answers.
        documents: Every document as it is now.
    """
    texts = {document.id: document.text for document in documents}
    for answer in answers:
        cited = [
            citation
            for citation in json.loads(answer.reply)["citations"]
            if name in {citation["source_id"], citation["document_id"]}
        ]
        gone = [citation for citation in cited if citation["quote"] not in texts.get(citation["document_id"], "")]
        if gone:
            withdrawn = any(citation["document_id"] not in texts for citation in gone)
            yield Affected(answer, tuple(citation["quote"] for citation in gone), withdrawn)
