"""Draw digest sentences to be read against their facts, one by one.

    python -m tests.corpus.draw_sentences [seed [count]]

A sentence's lot hangs on the seed, its source, its facts and how many sentences with the same facts stand before it,
not on its words or its line: rewording one sentence leaves the draw of all the others as it was.
"""

from __future__ import annotations

import hashlib
import sys
from collections import Counter
from dataclasses import dataclass

from tests.corpus.test_digests import Sentence, digest_paths, read_facts, read_sentences

SEED = "fifty-sentences-1"
COUNT = 50


@dataclass(frozen=True, slots=True)
class Drawn:
    """A sentence with the source whose digest it stands in."""

    source_id: str
    sentence: Sentence


def draw(seed: str = SEED, count: int = COUNT) -> list[Drawn]:
    """Return ``count`` sentences in the order of the sources."""
    lots: list[tuple[str, Drawn]] = []
    for path in digest_paths():
        before: Counter[tuple[str, ...]] = Counter()
        for sentence in read_sentences(path):
            key = (seed, path.stem, *sentence.fact_ids, str(before[sentence.fact_ids]))
            before[sentence.fact_ids] += 1
            lots.append((hashlib.sha256(" ".join(key).encode()).hexdigest(), Drawn(path.stem, sentence)))
    chosen = [drawn for _, drawn in sorted(lots, key=lambda lot: lot[0])[:count]]
    return sorted(chosen, key=lambda drawn: (drawn.source_id, drawn.sentence.line))


def main(arguments: list[str]) -> int:
    """Print the drawn sentences, each above the facts that it rests on."""
    seed = arguments[0] if arguments else SEED
    count = int(arguments[1]) if len(arguments) > 1 else COUNT
    for number, drawn in enumerate(draw(seed, count), start=1):
        facts = read_facts(drawn.source_id)
        sys.stdout.write(f"{number}. {drawn.source_id}: {drawn.sentence.text}\n")
        sys.stdout.writelines(f"     {facts[fact_id]}\n" for fact_id in drawn.sentence.fact_ids)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
