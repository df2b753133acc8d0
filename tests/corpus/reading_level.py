"""How many school years a digest asks of its reader: the Flesch-Kincaid grade, of each and of all.

    python -m tests.corpus.reading_level

The grade counts words a sentence and syllables a word; it knows nothing of meaning.
"""

from __future__ import annotations

import sys

from eval.measures.length import reading_grade
from tests.corpus.test_digests import digest_paths, read_sentences


def grades() -> dict[str, float]:
    """Return the grade of each digest by source id, and under "all" that of every sentence together."""
    texts = {path.stem: [sentence.text for sentence in read_sentences(path)] for path in digest_paths()}
    found = {source_id: reading_grade(sentences) for source_id, sentences in texts.items()}
    return found | {"all": reading_grade([text for sentences in texts.values() for text in sentences])}


if __name__ == "__main__":
    sys.stdout.writelines(f"{grade:5.1f}  {name}\n" for name, grade in grades().items())
