"""Hand-written rewordings, and replies that are made wrong by rule from the shipped sentences."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).parents[1] / "data" / "wordings.txt"


@dataclass(frozen=True, slots=True)
class Wording:
    """A source's sentence, and one that is said to say the same; ``changed`` says what does not, or is ""."""

    quote: str
    text: str
    changed: str = ""


def hand_written() -> Iterator[Wording]:
    """Yield what stands in ``wordings.txt``."""
    quote = ""
    for line in FILE.read_text(encoding="utf-8").splitlines():
        mark, _, rest = line.partition(" ")
        if mark == "=":
            quote = rest
        elif mark == "+":
            yield Wording(quote, rest)
        elif mark == "-":
            changed, _, text = rest.partition(" | ")
            yield Wording(quote, text, changed)


_SWAPS = (
    ("negation dropped", r"\b(?:not|never|no) ", ""),
    ("negation dropped", r"\bcannot\b", "can"),
    ("negation added", r"\b(is|are|can|may|should)\b", r"\1 not"),
    ("strengthened", r"\b(?:may|might|can|could)\b", "will"),
    ("hedge dropped", r"\b(?:usually|often|sometimes|rarely|may|most|some|many) ", ""),
    ("quantity", r"\b(?:some|many|few)\b", "most"),
    ("quantity", r"\b(?:most|usually)\b", "always"),
    ("direction", r"\blower", "higher"),
    ("direction", r"\bmore\b", "less"),
    ("direction", r"\bafter\b", "before"),
    ("direction", r"\bworse\b", "better"),
    ("direction", r"\braise", "lower"),
    ("unit", r"\bweeks?\b", "days"),
    ("unit", r"\bdays?\b", "months"),
    ("unit", r"\bmonths?\b", "years"),
    ("unit", r"\bpercent\b", "people"),
    ("subject", r"\bback pain\b", "kidney stones"),
    ("subject", r"\bkidney\b", "liver"),
    ("subject", r"\bgallstones?\b", "kidney stones"),
    ("subject", r"\bmuscle\b", "bone"),
    ("subject", r"\bchildren\b|\bchild\b", "adults"),
    ("subject", r"\bpeople\b", "children"),
    ("condition dropped", r" (?:if|when|unless|until) [^,.]+", ""),
    ("condition dropped", r"^(?:If|When|In|For|After|Under) [^,]+, (\w)", r"\1"),
    ("publisher", r"\b(?:Mayo Clinic|NINDS|NIDDK|Harvard Health|MedlinePlus|Verywell Health)\b", "The WHO"),
)


def falsified(quote: str) -> Iterator[Wording]:
    """Yield sentences that say something else than a source's sentence, each changed by one rule."""
    for changed, pattern, instead in _SWAPS:
        text = re.sub(pattern, instead, quote, count=1)
        if text != quote:
            yield Wording(quote, text[0].upper() + text[1:], changed)
    for number in re.findall(r"\d+", quote):
        yield Wording(quote, quote.replace(number, str(int(number) + 3), 1), "number")
    yield Wording(quote, f"{quote.rstrip('.')}, so no doctor is needed.", "invented addition")
    yield Wording(quote, f"{quote.rstrip('.')} (see https://evil.example/offer).", "address")
