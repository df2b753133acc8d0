"""The digests hold to their fact sheets: every sentence names facts, and says no more than they do.

The checker reads only the data files, so a writer can run it alone while a digest is in the making::

    python tests/corpus/test_digests.py [source-id ...]

Numbers, units and negations are compared as sets. That catches a wrong figure or a lost "not"; it
does not judge meaning, which stays with the reader of the diff.
"""

from __future__ import annotations

import csv
import hashlib
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).resolve().parents[2] / "corpus" / "data"
LABELS = frozenset({"source", "copy", "candidate", "edition", "other"})
CORE = (
    "verywell-back-spasm",
    "ninds-back-pain",
    "medlineplus-low-back-pain-acute",
    "merck-low-back-pain",
    "mayo-back-pain",
    "ajem-2020-cauda-equina",
)
MAX_SECTION_WORDS = 150
MAX_SECTION_SENTENCES = 6
SHINGLE_WORDS = 7

BANNED_OPENINGS = frozenset({"It", "This", "These", "They", "Those", "Such", "Also", "However", "He", "She"})
SENTENCE_LINE = re.compile(r"^(?P<text>\S.*) <!-- (?P<facts>F\d{2}(?: F\d{2})*) -->$")
MARKUP = re.compile(r"[*_|`\[\]]|https?://|^\s*(?:[-+>]|\d+\.)\s")
# Dots that do not end a sentence.
ABBREVIATIONS = ("A.D.A.M.", "U.S.", "Dr.", "vs.", "e.g.", "i.e.", "E. coli")

NUMBER_WORDS = {
    word: str(value)
    for value, word in enumerate(
        re.findall(
            "[a-z]+",
            "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
            "sixteen seventeen eighteen nineteen twenty",
        )
    )
}
FRACTIONS = {"half": "half", "third": "third", "thirds": "third", "quarter": "quarter"}
SCALES = frozenset({"hundred", "hundreds", "thousand", "million", "billion"})
UNITS = {
    **{
        form: unit
        for unit in ("minute", "hour", "day", "week", "month", "year", "litre", "quart", "pound")
        for form in (unit, f"{unit}s")
    },
    "kilogram": "kilogram",
    "kilograms": "kilogram",
    "seconds": "second",  # the singular is nearly always an ordinal
    "percent": "percent",
    "dollars": "dollar",
    "liter": "litre",
    "liters": "litre",
    # A rate and its unit are the same claim.
    "daily": "day",
    "weekly": "week",
    "yearly": "year",
}
# Two ways to write one quantity; applied to sentence and facts alike before they are compared.
SAME_QUANTITY = (
    (r"(\d),(\d{3})\b", r"\1\2"),
    (r"%", " percent "),
    (r"\bhalf[ -](?:an )?hours?\b|\bhalf an hour\b", "30 minutes"),
    (r"\b(?:a )?fortnight\b", "2 weeks"),
    (r"\ban? (day|week|month|year|hour|minute|million)\b", r"1 \1"),
    (r"\b1 day or two\b", "1 or 2 days"),
    # "One" that counts nothing.
    (r"\bone another\b|\bthe one that\b|\bno one\b(?! mattress)", " "),
)
NEGATIONS = re.compile(
    r"\b(?:not|no|never|without|cannot|nor|neither|none|nothing|nobody|rarely|seldom|hardly|unable)"
    r"\b|n['’]t\b"
)
# Idioms that hold a negative word and deny nothing.
EMPTY_NEGATIONS = re.compile(r"\bno less than\b|\bnot only\b|\bno matter\b|\bwhether or not\b")
# Wordings that carry a negation without a negative word: "cannot hold urine" is "loss of control",
# "do not exercise" is "avoid exercise". Either side of the comparison may use them.
DENIALS = re.compile(
    r"\b(?:avoid\w*|advised against|trouble|hard to|difficult\w*|impossible|inability|incontinence|painless|"
    r"non|limit\w*|lacks?|lacking|fails?|failed|loss of|lost|losing|rare|unlikely|few|unexplained)\b"
)


@dataclass(frozen=True, slots=True)
class Fact:
    """One row of a fact table."""

    id: str
    text: str
    label: str
    page: str
    date: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """One line of a digest, with the 1-based line it stands on."""

    line: int
    text: str
    fact_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and where; line 0 stands for the whole file."""

    path: Path
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path.name}:{self.line}: {self.message}"


# --- reading ------------------------------------------------------------------------------------


def read_table(name: str) -> dict[str, Any]:
    """Read one TOML file of the corpus data."""
    with (DATA / name).open("rb") as stream:
        return tomllib.load(stream)


def read_facts(source_id: str) -> dict[str, Fact]:
    """Read a fact table, keyed by fact id in file order."""
    with (DATA / "facts" / f"{source_id}.csv").open(encoding="utf-8", newline="") as stream:
        return {row["id"]: Fact(**row) for row in csv.DictReader(stream)}


@cache
def read_shingles() -> frozenset[str]:
    """Read the hashes of seven-word runs that stand in the texts behind the sheets."""
    lines = (DATA / "shingles.txt").read_text(encoding="ascii").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def digest_paths() -> list[Path]:
    """Every digest there is, by name."""
    return sorted((DATA / "digests").glob("*.md"))


def read_sentences(path: Path) -> Iterator[Sentence]:
    """Yield the well-formed sentence lines of a digest."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if match := SENTENCE_LINE.match(line):
            yield Sentence(number, match["text"], tuple(match["facts"].split()))


# --- comparing ----------------------------------------------------------------------------------


def canonical(text: str) -> str:
    """Lower case with one spelling for each quantity of ``SAME_QUANTITY``."""
    text = text.lower()
    for pattern, replacement in SAME_QUANTITY:
        text = re.sub(pattern, replacement, text)
    return text


def numbers(text: str) -> set[str]:
    """Numbers as digits, number words up to twenty, fractions and scales of ten."""
    tokens = re.findall(r"\d+(?:\.\d+)?|[a-z]+", canonical(text))
    found = {token for token in tokens if token[0].isdigit() or token in SCALES}
    found |= {NUMBER_WORDS[token] for token in tokens if token in NUMBER_WORDS}
    return found | {FRACTIONS[token] for token in tokens if token in FRACTIONS}


def units(text: str) -> set[str]:
    """Units of time, volume, weight and share, in the singular."""
    return {UNITS[token] for token in re.findall(r"[a-z]+", canonical(text)) if token in UNITS}


def negated(text: str) -> bool:
    """Whether a negative word denies something."""
    return NEGATIONS.search(EMPTY_NEGATIONS.sub(" ", text.lower())) is not None


def may_deny(text: str) -> bool:
    """Whether the text is negated, or holds a wording that can stand for a negation."""
    return negated(text) or DENIALS.search(text.lower()) is not None


def copied_run(text: str) -> str | None:
    """The first run of seven words shared with a source, if any."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    for start in range(len(words) - SHINGLE_WORDS + 1):
        run = " ".join(words[start : start + SHINGLE_WORDS])
        if hashlib.sha256(run.encode()).hexdigest()[:12] in read_shingles():
            return run
    return None


def names_publisher(text: str, publisher: str) -> bool:
    """Whether a sentence names a publisher, by its full name or a word that is its own."""
    generic = {"clinic", "health", "medical", "manual", "medicine", "opinion", "research", "pain"}
    words = [w for w in re.findall(r"[A-Za-z]{3,}", publisher) if w.lower() not in generic]
    return publisher in text or any(re.search(rf"\b{word}\b", text) for word in words)


# --- checking -----------------------------------------------------------------------------------


def sentence_complaints(text: str, facts: Sequence[Fact]) -> Iterator[str]:
    """Say what a sentence claims beyond its facts, or loses of them."""
    if len({fact.label for fact in facts}) > 1:
        yield f"facts of several labels: {sorted({fact.label for fact in facts})}"
    if len({fact.page for fact in facts}) > 1:
        yield f"facts of several pages: {sorted({fact.page for fact in facts})}"
    if bad := {fact.label for fact in facts} - LABELS:
        yield f"label not allowed: {sorted(bad)}"
    stated = " ".join(fact.text for fact in facts)
    years = {fact.date[:4] for fact in facts}
    if extra := numbers(text) - numbers(stated) - years:
        yield f"number not in the facts: {sorted(extra)}"
    if extra := units(text) - units(stated):
        yield f"unit not in the facts: {sorted(extra)}"
    if negated(text) and not may_deny(stated):
        yield "negation not in the facts"
    if run := copied_run(text):
        yield f"seven words shared with a source: {run!r}"


def lost_negations(facts: Iterable[Fact], sentences: Sequence[Sentence]) -> Iterator[tuple[int, str]]:
    """Yield line and complaint for each fact that denies what no sentence resting on it denies.

    A fact may be told in several sentences; one of them must carry the negation.
    """
    for fact in facts:
        telling = [sentence for sentence in sentences if fact.id in sentence.fact_ids]
        if telling and negated(fact.text) and not any(may_deny(s.text) for s in telling):
            yield telling[0].line, f"negation of {fact.id} is lost: {fact.text}"


def wording_complaints(text: str) -> Iterator[str]:
    """Say what is wrong with a sentence whatever its facts."""
    plain = text
    for abbreviation in ABBREVIATIONS:
        plain = plain.replace(abbreviation, abbreviation.replace(".", ""))
    if not text.endswith("."):
        yield "does not end in a full stop"
    if re.search(r"[.!?]\s+\S", plain):
        yield "more than one sentence on the line"
    opening = re.split(r"[\s,']", text, maxsplit=1)[0]
    if opening in BANNED_OPENINGS:
        yield f"opens with {opening!r}: name the subject"
    if re.search(r"\b12 days\b|\btwelve days\b", text.lower()):
        yield "'12 days' is a misprint for 1 to 2 days"
    if MARKUP.search(text):
        yield "markup"


def layout_faults(path: Path) -> Iterator[Fault]:
    """Check front matter, title, headings, blank lines and the size of each section."""
    lines = path.read_text(encoding="utf-8").splitlines()
    if lines[:3] != ["---", f"id: {path.stem}", "---"]:
        yield Fault(path, 1, f"front matter must be the one line 'id: {path.stem}'")
    titles = [number for number, line in enumerate(lines, 1) if line.startswith("# ")]
    if len(titles) != 1:
        yield Fault(path, 0, f"{len(titles)} title lines")
    heading, words, sentences = 0, 0, 0
    for number, line in enumerate([*lines[3:], "## end?"], start=4):
        if line.startswith("## "):
            if heading and not 1 <= sentences <= MAX_SECTION_SENTENCES:
                yield Fault(path, heading, f"{sentences} sentences in the section")
            if words > MAX_SECTION_WORDS:
                yield Fault(path, heading, f"{words} words in the section")
            if not line.endswith("?"):
                yield Fault(path, number, "heading is not a question")
            if number < len(lines) and lines[number]:
                yield Fault(path, number, "no blank line after the heading")
            heading, words, sentences = number, 0, 0
        elif match := SENTENCE_LINE.match(line):
            words, sentences = words + len(match["text"].split()), sentences + 1
            if not heading:
                yield Fault(path, number, "sentence before the first heading")
        elif line and not line.startswith("# "):
            yield Fault(path, number, "not 'Sentence. <!-- Fnn -->'")


def digest_faults(path: Path) -> Iterator[Fault]:
    """Check one digest against its fact table, its pages and the format."""
    yield from layout_faults(path)
    facts, pages = read_facts(path.stem), read_table("pages.toml")
    sentences = list(read_sentences(path))
    yield from (Fault(path, *lost) for lost in lost_negations(facts.values(), sentences))
    for sentence in sentences:
        complaints = list(wording_complaints(sentence.text))
        known = [facts[fact_id] for fact_id in sentence.fact_ids if fact_id in facts]
        if missing := set(sentence.fact_ids) - facts.keys():
            complaints.append(f"no such fact: {sorted(missing)}")
        else:
            complaints += sentence_complaints(sentence.text, known)
            publisher = pages[known[0].page]["publisher"]
            if known[0].label == "other" and not names_publisher(sentence.text, publisher):
                complaints.append(f"an 'other' fact: name {publisher}")
        for complaint in complaints:
            yield Fault(path, sentence.line, complaint)


def duplicate_faults(paths: Iterable[Path]) -> Iterator[Fault]:
    """Find sentences that stand in the corpus twice."""
    seen: dict[str, str] = {}
    for path in paths:
        for sentence in read_sentences(path):
            key = " ".join(re.findall(r"[a-z0-9]+", sentence.text.lower()))
            if key in seen:
                yield Fault(path, sentence.line, f"same sentence as {seen[key]}")
            seen.setdefault(key, f"{path.name}:{sentence.line}")


def main(source_ids: Sequence[str]) -> int:
    """Print every fault of the named digests, or of all; the exit status says whether any."""
    paths = [path for path in digest_paths() if not source_ids or path.stem in source_ids]
    faults = [fault for path in paths for fault in digest_faults(path)]
    faults += duplicate_faults(paths)
    sys.stdout.writelines(f"{fault}\n" for fault in faults)
    for path in paths:
        used = {fact_id for s in read_sentences(path) for fact_id in s.fact_ids}
        unused = [fact for fact in read_facts(path.stem) if fact not in used]
        sys.stdout.write(f"# {path.stem}: unused facts: {' '.join(unused) or 'none'}\n")
    sys.stdout.write(f"# {len(paths)} digests, {len(faults)} faults\n")
    return 1 if faults else 0


# --- tests of the data --------------------------------------------------------------------------


def test_core_digests_exist() -> None:
    assert set(CORE) <= {path.stem for path in digest_paths()}


@pytest.mark.parametrize("path", digest_paths(), ids=lambda path: path.stem)
def test_digest_holds_to_its_facts(path: Path) -> None:
    assert [str(fault) for fault in digest_faults(path)] == []


def test_no_sentence_stands_twice() -> None:
    assert [str(fault) for fault in duplicate_faults(digest_paths())] == []


def test_digests_fact_tables_and_sources_are_the_same_set() -> None:
    sources = read_table("sources.toml")
    assert {path.stem for path in (DATA / "facts").glob("*.csv")} == sources.keys()
    digested = {source_id for source_id, source in sources.items() if source["digest"]}
    assert {path.stem for path in digest_paths()} == digested


@pytest.mark.parametrize("source_id", sorted(read_table("sources.toml")))
def test_facts_are_labelled_dated_placed_and_original(source_id: str) -> None:
    pages = read_table("pages.toml")
    for fact in read_facts(source_id).values():
        assert re.fullmatch(r"F\d{2}", fact.id)
        assert fact.label in LABELS, fact
        assert fact.page in pages, fact
        assert re.fullmatch(r"(?:\d{4}(?:-\d{2}){0,2})?", fact.date), fact
        assert copied_run(fact.text) is None, fact
        assert "12 days" not in fact.text


def test_pages_say_who_published_what() -> None:
    used = {fact.page for source in read_table("sources.toml") for fact in read_facts(source).values()}
    pages = read_table("pages.toml")
    assert pages.keys() == used
    for key, page in pages.items():
        assert page.keys() == {"title", "publisher", "url", "published"}, key
        assert page["title"], key
        assert page["publisher"], key
        assert page["url"] == "" or re.match(r"https?://", page["url"]), key


def test_differences_point_at_facts_that_digests_tell() -> None:
    told = {
        f"{path.stem}:{fact_id}"
        for path in digest_paths()
        for sentence in read_sentences(path)
        for fact_id in sentence.fact_ids
    }
    for difference in read_table("differences.toml")["difference"]:
        assert len(difference["positions"]) > 1, difference["topic"]
        assert difference["about"], difference["topic"]
        cited = {fact for position in difference["positions"] for fact in position}
        assert cited <= told, (difference["topic"], sorted(cited - told))


def test_positions_of_a_difference_are_told_in_sentences_of_their_own() -> None:
    told = {
        f"{path.stem}:{fact_id}": sentence.text
        for path in digest_paths()
        for sentence in reversed(list(read_sentences(path)))
        for fact_id in sentence.fact_ids
    }
    for difference in read_table("differences.toml")["difference"]:
        leading = [told[position[0]] for position in difference["positions"]]
        assert len(set(leading)) == len(leading), difference["topic"]


def test_facts_that_no_digest_tells_are_listed_with_the_reason() -> None:
    log = (DATA.parents[1] / "docs" / "digests.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([a-z0-9-]+) \| ((?:F\d{2} ?)+)\|", log, flags=re.MULTILINE)
    listed = {(source_id, fact_id) for source_id, fact_ids in rows for fact_id in fact_ids.split()}
    untold = {
        (path.stem, fact_id)
        for path in digest_paths()
        for fact_id in read_facts(path.stem).keys() - {f for s in read_sentences(path) for f in s.fact_ids}
    }
    assert untold == listed


# --- tests of the checker: each planted fault must be found -------------------------------------

BED_REST = Fact("F20", "Bed rest is limited to 1 to 2 days at most.", "source", "a", "")
PROVEN = Fact("F19", "Cold packs have not been proven to speed healing.", "source", "a", "")


@pytest.mark.parametrize(
    ("text", "fact", "complaint"),
    [
        ("Stay in bed for 3 days.", BED_REST, "number not in the facts: ['3']"),
        ("Stay in bed for one or two weeks.", BED_REST, "unit not in the facts: ['week']"),
        ("Half of people rest for 1 to 2 days.", BED_REST, "number not in the facts: ['half']"),
        ("Cold packs do not help.", replace(PROVEN, text="Cold helps."), "negation not in the facts"),
        ("Rest in bed.", replace(BED_REST, label="reported"), "label not allowed: ['reported']"),
    ],
)
def test_planted_claim_is_found(text: str, fact: Fact, complaint: str) -> None:
    assert complaint in list(sentence_complaints(text, [fact]))


def test_lost_negation_is_found() -> None:
    bold = Sentence(7, "Cold packs speed healing.", ("F19",))
    honest = Sentence(8, "Cold packs are not proven to help.", ("F19",))
    complaint = (7, f"negation of F19 is lost: {PROVEN.text}")
    assert list(lost_negations([PROVEN, BED_REST], [bold])) == [complaint]
    assert list(lost_negations([PROVEN, BED_REST], [bold, honest])) == []


def test_one_sentence_rests_on_one_page_and_label() -> None:
    other = replace(PROVEN, label="edition", page="b")
    complaints = list(sentence_complaints("Rest 1 to 2 days; cold is not proven.", [BED_REST, other]))
    assert complaints == [
        "facts of several labels: ['edition', 'source']",
        "facts of several pages: ['a', 'b']",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Keep bed rest to one or two days.",
        "Stay in bed for 1-2 days at most.",
        "Bed rest should not go past 2 days.",
    ],
)
def test_equal_wordings_pass(text: str) -> None:
    assert list(sentence_complaints(text, [BED_REST])) == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("It eases back pain.", "opens with 'It': name the subject"),
        ("Back pain eases", "does not end in a full stop"),
        ("Back pain eases. Then rest.", "more than one sentence on the line"),
        ("NINDS allows 12 days of rest.", "'12 days' is a misprint for 1 to 2 days"),
        ("**Back** pain eases.", "markup"),
    ],
)
def test_planted_wording_is_found(text: str, complaint: str) -> None:
    assert list(wording_complaints(text)) == [complaint]


def test_abbreviation_is_not_a_second_sentence() -> None:
    assert list(wording_complaints("The A.D.A.M. Medical Encyclopedia counts U.S. visits.")) == []


def test_copied_run_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    run = "one two three four five six seven"
    planted = frozenset({hashlib.sha256(run.encode()).hexdigest()[:12]})
    monkeypatch.setattr(f"{__name__}.read_shingles", lambda: planted)
    assert copied_run("Zero, one two three four-five six Seven eight.") == run
    assert copied_run("One two three four five six eight seven.") is None


def test_planted_layout_is_found(tmp_path: Path) -> None:
    path = tmp_path / "x.md"
    path.write_text(
        "---\nid: y\n---\n# Title\n\n## Rest\nBed rest. <!-- F20 -->\nBed rest.\n\n## Why?\n",
        encoding="utf-8",
    )
    assert [str(fault) for fault in layout_faults(path)] == [
        "x.md:1: front matter must be the one line 'id: x'",
        "x.md:6: heading is not a question",
        "x.md:6: no blank line after the heading",
        "x.md:8: not 'Sentence. <!-- Fnn -->'",
        "x.md:10: 0 sentences in the section",
    ]


def test_repeated_sentence_is_found(tmp_path: Path) -> None:
    first, second = tmp_path / "a.md", tmp_path / "b.md"
    first.write_text("Rest helps. <!-- F01 -->\n", encoding="utf-8")
    second.write_text("Rest  helps! <!-- F02 -->\n", encoding="utf-8")
    faults = [str(fault) for fault in duplicate_faults([first, second])]
    assert faults == ["b.md:1: same sentence as a.md:1"]


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
