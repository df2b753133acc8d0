"""Reading the rules from their three files: rules.toml, concepts.toml and language.toml."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from service.triage.errors import RulesError
from service.triage.matching import Concept, Lexicon, Near
from service.triage.quantities import QUANTITIES
from service.triage.records import Basis, Level, RuleSource
from service.triage.spelling import Speller
from service.triage.weights import Weights, read_weights

_HOME = Path(__file__).parent
LANGUAGE_CONCEPTS = (
    "harmless", "not_a_person", "denial", "no_denial", "scope_end", "filler", "denial_item", "denial_after",
    "asks", "frame", "person", "generic", "study", "kin", "supposing", "long_ago", "settled", "now", "courtesy",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Condition:
    """One line of ``when``: groups that may be anywhere, each a set of concepts of one sentence.

    Attributes:
        groups: What must be said; the concepts of one group in the same sentence.
        context: Numbers of the groups that may as well be said in general ("could it be a kidney infection?"): they say
            what the rest is about.
        absent: What must not be said.
        needs: Symbols of all concepts that must be said.
    """

    groups: tuple[tuple[str, ...], ...]
    absent: tuple[str, ...]
    needs: frozenset[str]
    context: frozenset[int] = frozenset()

    @property
    def concepts(self) -> tuple[str, ...]:
        """All concepts that must be said."""
        return tuple(concept for group in self.groups for concept in group)


@dataclass(frozen=True, slots=True)
class Variant:
    """A rule at one level.

    Attributes:
        level: Before any modifier.
        text: Key of the message.
        when: Conditions, one of which is enough.
        basis: Whether sources state it; the rule's own basis unless the variant says otherwise.
    """

    level: Level
    text: str
    basis: Basis
    when: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """One red flag.

    Attributes:
        id: ``RF01`` to ``RF21``.
        name: What it is about.
        basis: Whether sources state it.
        sources: Those that do.
        variants: Strictest first.
        topics: Concepts that bring general information in a general question.
        go_now_if: Lines shown below a notice that is not an emergency.
        raised_by: Modifiers that move it one tier up.
        withhold: True where no answer may follow an emergency.
        self_harm: True for thoughts of self-harm.
    """

    id: str
    name: str
    basis: Basis
    sources: tuple[RuleSource, ...]
    variants: tuple[Variant, ...]
    topics: tuple[str, ...]
    go_now_if: tuple[str, ...]
    raised_by: frozenset[str]
    withhold: bool
    self_harm: bool


@dataclass(frozen=True, slots=True)
class Modifier:
    """Who is at more risk.

    Attributes:
        said: The concept that says so.
        unless: The concept that takes it back, or "".
        always: The concept that says so whatever else is said, or "".
    """

    said: str
    unless: str
    always: str


@dataclass(frozen=True, slots=True)
class ReadingSets:
    """Concepts that are read in a special way; the rules file explains each set."""

    lasting: frozenset[str]
    scene: frozenset[str]
    meant: frozenset[str]
    no_shield: frozenset[str]


@dataclass(frozen=True, slots=True)
class LevelTexts:
    """What stands around the message of a level."""

    label: str
    title: str
    how: str


@dataclass(slots=True, repr=False)
class Rules:
    """Everything the screening needs; only the two memories change, and they hold nothing of a person.

    Attributes:
        rules: In the order of the file.
        modifiers: Modifiers by name.
        reading: Concepts that are read in a special way.
        texts: Messages by key.
        levels: Texts by level.
        lexicon: The concepts.
        spelling: Written forms to plain words.
        speller: Corrects slips.
        reviewed_by: Clinician who reviewed the rules, or "".
        reviewed_on: When, or "".
        concepts: Concepts by name, for the documentation.
        signs: Concepts of the rules whose inner "not" denies nothing else.
        forms: Written words met before with their plain forms.
        symbols: Plain words met before with their repaired form and what they stand for.
        weights: What the second reader has learnt; None where its table is missing.
    """

    rules: tuple[Rule, ...]
    modifiers: Mapping[str, Modifier]
    reading: ReadingSets
    texts: Mapping[str, str]
    levels: Mapping[Level, LevelTexts]
    lexicon: Lexicon
    spelling: Mapping[str, tuple[str, ...]]
    speller: Speller
    reviewed_by: str
    reviewed_on: str
    concepts: Mapping[str, Concept]
    signs: frozenset[str]
    forms: dict[str, tuple[str, ...]] = field(default_factory=dict)
    symbols: dict[str, tuple[str, frozenset[str]]] = field(default_factory=dict)
    weights: Weights | None = None


def read_rules(path: Path | None = None) -> Rules:
    """Read and check the rules.

    Args:
        path: The rules file; ``concepts.toml``, ``language.toml`` and ``plain_words.txt`` stand beside
            it. Without a path, the files of this package.

    Raises:
        RulesError: a file is missing, cannot be read, or contradicts itself.
    """
    chosen = path or _HOME / "rules.toml"
    table = _toml(chosen)
    concepts_table = _toml(chosen.with_name("concepts.toml"))
    language = _toml(chosen.with_name("language.toml"))
    concepts = _concepts(concepts_table, "concepts.toml") | _concepts(language, "language.toml")
    missing = [name for name in LANGUAGE_CONCEPTS if name not in concepts]
    if missing:
        raise RulesError("language.toml", f"misses {', '.join(missing)}")
    lexicon = Lexicon(concepts.values(), QUANTITIES)
    plain = frozenset(chosen.with_name("plain_words.txt").read_text(encoding="utf-8").split())
    rules = tuple(_rule(entry, concepts, table["texts"]) for entry in table["rule"])
    spelling = {form: tuple(plain_words.split()) for form, plain_words in language["spelling"].items()}
    reading = ReadingSets(**{name: frozenset(_known(table["reading"][name], concepts)) for name in table["reading"]})
    return Rules(
        rules=rules,
        modifiers=_modifiers(table["modifiers"], concepts, rules),
        reading=reading,
        texts=table["texts"],
        levels={level: LevelTexts(**table["levels"][level.value]) for level in Level},
        lexicon=lexicon,
        spelling=spelling,
        speller=Speller(lexicon.vocabulary, lexicon.prefixes, plain | spelling.keys()),
        reviewed_by=table["reviewed_by"],
        reviewed_on=table["reviewed_on"],
        concepts=concepts,
        signs=_named_by(rules) - reading.no_shield,
        weights=read_weights(table_file) if (table_file := chosen.with_name("likeness.tsv")).exists() else None,
    )


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise RulesError(path.name, str(error)) from error


def _concepts(table: Mapping[str, Any], place: str) -> dict[str, Concept]:
    concepts = {}
    for name, entry in table.get("concept", {}).items():
        unknown = entry.keys() - {"phrases", "near"}
        if unknown:
            raise RulesError(f"{place} {name}", f"does not know {', '.join(sorted(unknown))}")
        nears = tuple(Near(tuple(near["of"]), near["within"]) for near in entry.get("near", ()))
        concepts[name] = Concept(name, tuple(entry.get("phrases", ())), nears)
    return concepts


def _known(names: Sequence[str], concepts: Mapping[str, Concept]) -> Sequence[str]:
    for name in names:
        if name not in concepts:
            raise RulesError("rules.toml", f"there is no concept {name!r}")
    return names


def _named_by(rules: Sequence[Rule]) -> frozenset[str]:
    """Every concept that some condition asks for."""
    conditions = (condition for rule in rules for variant in rule.variants for condition in variant.when)
    return frozenset(name for condition in conditions for name in condition.concepts)


def _modifiers(
    table: Mapping[str, Mapping[str, str]], concepts: Mapping[str, Concept], rules: Sequence[Rule]
) -> Mapping[str, Modifier]:
    modifiers = {
        name: Modifier(entry["said"], entry.get("unless", ""), entry.get("always", "")) for name, entry in table.items()
    }
    _known([name for entry in table.values() for name in entry.values()], concepts)
    for rule in rules:
        unknown = rule.raised_by - modifiers.keys()
        if unknown:
            raise RulesError(f"rules.toml {rule.id}", f"there is no modifier {sorted(unknown)}")
    return modifiers


def _rule(entry: Mapping[str, Any], concepts: Mapping[str, Concept], texts: Mapping[str, str]) -> Rule:
    place = f"rules.toml {entry['id']}"
    variants = []
    for variant in entry["variant"]:
        if variant["text"] not in texts:
            raise RulesError(place, f"there is no text {variant['text']!r}")
        when = tuple(_condition(line, concepts, place) for line in variant["when"])
        variants.append(Variant(Level(variant["level"]), variant["text"], variant.get("basis", entry["basis"]), when))
    topics = tuple(_known(entry.get("topics", ()), concepts))
    sources = tuple(RuleSource(s["id"], s["label"], s["says"]) for s in entry.get("sources", ()))
    return Rule(
        id=entry["id"],
        name=entry["name"],
        basis=cast("Basis", entry["basis"]),
        sources=sources,
        variants=tuple(sorted(variants, key=lambda variant: variant.level.rank)),
        topics=topics,
        go_now_if=tuple(entry.get("go_now_if", ())),
        raised_by=frozenset(entry["raised_by"]),
        withhold=entry.get("withhold", False),
        self_harm=entry.get("self_harm", False),
    )


def _condition(line: str, concepts: Mapping[str, Concept], place: str) -> Condition:
    said, *absent = line.split(" - ")
    parts = [part.strip() for part in said.split("+")]
    context = frozenset(number for number, part in enumerate(parts) if part.startswith("~"))
    groups = tuple(tuple(name.strip() for name in part.removeprefix("~").split("&")) for part in parts)
    missing = [
        name for name in [*(n for group in groups for n in group), *map(str.strip, absent)] if name not in concepts
    ]
    if missing:
        raise RulesError(place, f"there is no concept {missing[0]!r} ({line})")
    needs = frozenset(f"<{name}>" for group in groups for name in group)
    return Condition(groups, tuple(name.strip() for name in absent), needs, context)
