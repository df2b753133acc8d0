"""Citation recall and precision in ALCE's sense, with a stated verifier.

Definition: a sentence has recall 1 when the quotes of its citations, taken together, support it. A citation has
precision 1 when its sentence has recall 1 and the citation is not idle; it is idle when its quote alone does not
support the sentence and the other quotes do without it. The verifier says what "support" is; the one used here is
``stands_in``: the sentence stands word for word in the quotes. An answer's recall is the mean over its sentences, its
precision the mean over its citations.

Trap: the numbers are the verifier's as much as the target's. A word-for-word verifier never passes a wrong sentence
and fails every paraphrase, so a target that rewrites scores near 0 here whether it is faithful or not. Only figures
with the same verifier compare.

Paper: T. Gao, H. Yen, J. Yu, D. Chen (2023), Enabling large language models to generate text with citations, EMNLP,
doi:10.18653/v1/2023.emnlp-main.398.
"""

from collections.abc import Callable, Sequence

from eval.figures import Heading, mean_of
from eval.records import Exchange, Measured, Reply

GROUP = "Proving"

RECALL = Heading(
    "citation_recall", "Citation recall (ALCE, word for word)", "of an answer's sentences, the share supported", GROUP
)
PRECISION = Heading(
    "citation_precision", "Citation precision (ALCE, word for word)", "of its citations, the share not idle", GROUP
)

Verifier = Callable[[Sequence[str], str], bool]
"""Whether the quotes, taken together, support the sentence."""


def stands_in(quotes: Sequence[str], sentence: str) -> bool:
    """Support as word for word: the sentence stands in the quotes joined, white space aside."""
    text = " ".join(sentence.split())
    return bool(text) and text in " ".join(" ".join(quotes).split())


def citation_recall(reply: Reply, supports: Verifier = stands_in) -> float:
    """Return the share of sentences that their quotes support; 0 for an answer without sentences."""
    if not reply.sentences:
        return 0.0
    quotes = _quotes(reply)
    return sum(supports(own, text) for text, own in quotes) / len(quotes)


def citation_precision(reply: Reply, supports: Verifier = stands_in) -> float:
    """Return the share of citations that are needed; 0 for an answer without citations."""
    useful = total = 0
    for text, own in _quotes(reply):
        supported = supports(own, text)
        total += len(own)
        for place, quote in enumerate(own):
            others = [*own[:place], *own[place + 1 :]]
            idle = not supports([quote], text) and supports(others, text)
            useful += supported and not idle
    return useful / total if total else 0.0


def measure_citations(exchanges: Sequence[Exchange]) -> list[Measured]:
    """Measure every answer; a failed question scores 0, an abstention has no citations to judge."""
    judged = {ex.item.id: ex.reply for ex in exchanges if not ex.reply.is_silent}
    return [
        mean_of(RECALL, {name: citation_recall(reply) for name, reply in judged.items()}),
        mean_of(PRECISION, {name: citation_precision(reply) for name, reply in judged.items()}),
    ]


def _quotes(reply: Reply) -> list[tuple[str, list[str]]]:
    known = {citation.id: citation.quote for citation in reply.citations}
    return [
        (sentence.text, [known[name] for name in sentence.citation_ids if name in known])
        for sentence in reply.sentences
    ]
