"""Proof: does every sentence of an answer carry the words that it rests on?

Definition: over the sentences of all answers (to whatever question), the share that has a citation, and the share
that stands word for word in a quote of one of its own citations, white space aside. Over all citations, the share
whose quote is exactly the stored text at the stated span, where the target gives the document. A question that
failed counts as one sentence without proof; an abstention claims nothing and has nothing to prove.

Trap: a quote proves that the words stand in the source, not that they answer the question. And a sentence that is
"nearly" its quote is not: dropping "not" leaves 95 % of the words. So the comparison is exact.

Paper: H. Rashkin et al. (2023), Measuring attribution in natural language generation models, Computational
Linguistics 49, doi:10.1162/coli_a_00486.
"""

from collections.abc import Callable, Sequence

from eval.figures import Heading, share_of
from eval.records import Citation, Exchange, Measured, Reply, Sentence

GROUP = "Proving"

CITED = Heading("sentences_cited", "Sentences with a citation", "each sentence names where it comes from", GROUP)
VERBATIM = Heading(
    "sentences_verbatim", "Sentences word for word in their quote", "nothing was added, dropped or changed", GROUP
)
SPANS = Heading("quotes_exact", "Quotes that stand at their span", "the quote is the stored text, to the letter", GROUP)

DocumentText = Callable[[str], str | None]
"""Stored text of a document by id; None where the target does not show it."""


def is_cited(sentence: Sentence, reply: Reply) -> bool:
    """Whether the sentence names a citation that the reply really holds."""
    known = {citation.id for citation in reply.citations}
    return any(name in known for name in sentence.citation_ids)


def is_verbatim(sentence: Sentence, reply: Reply) -> bool:
    """Whether the sentence stands in a quote of one of its own citations."""
    text = " ".join(sentence.text.split())
    quotes = {citation.id: " ".join(citation.quote.split()) for citation in reply.citations}
    return bool(text) and any(text in quotes.get(name, "") for name in sentence.citation_ids)


def is_exact(citation: Citation, text: str) -> bool:
    """Whether ``text`` holds the quote at the citation's span."""
    in_bounds = 0 <= citation.source_start < citation.source_end <= len(text)
    return in_bounds and text[citation.source_start : citation.source_end] == citation.quote


def is_proven(reply: Reply) -> bool:
    """Whether every sentence of an answer stands in its quote; an answer without sentences proves nothing."""
    return bool(reply.sentences) and all(is_verbatim(sentence, reply) for sentence in reply.sentences)


def measure_proof(exchanges: Sequence[Exchange], document_text: DocumentText) -> list[Measured]:
    """Measure every answer of the run, whichever set its question comes from."""
    cited: dict[str, bool] = {}
    verbatim: dict[str, bool] = {}
    exact: dict[str, bool] = {}
    for ex in exchanges:
        if ex.reply.status == "failed" or (ex.reply.is_answered and not ex.reply.sentences):
            cited[ex.item.id] = verbatim[ex.item.id] = False
        if not ex.reply.is_answered:
            continue
        for place, sentence in enumerate(ex.reply.sentences, 1):
            name = f"{ex.item.id}#{place}"
            cited[name] = is_cited(sentence, ex.reply)
            verbatim[name] = is_verbatim(sentence, ex.reply)
        for citation in ex.reply.citations:
            text = document_text(citation.document_id)
            if text is not None:
                exact[f"{ex.item.id}#{citation.id}"] = is_exact(citation, text)
    return [share_of(CITED, cited), share_of(VERBATIM, verbatim), share_of(SPANS, exact)]
