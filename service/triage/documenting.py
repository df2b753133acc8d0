"""The page docs/triage.md, written from the rules so that it cannot drift from them."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from service.triage.loading import Condition, Rule, Rules, read_rules
from service.triage.records import Level

_PAGE = Path("docs/triage.md")

_INTRO = """# Screening for signs that need care

<!-- Written by `python -m service.triage.documenting` from the rules; change those, not this page. -->

Each question is screened before anything is searched. The rules are fixed, readable and the same for everybody; nothing
that is asked or generated can overrule them. A second reader, a table of weights, stands beside them. {reviewed}

**This is not a medical device.** It knows only what is written here. That no rule fires never means that all is well,
and the service never says so.

## How a question is read

1. The text and the earlier turns of the conversation are cut into plain words: capitals, apostrophes, British and
   American spelling, text-speak and slips of the pen are evened out (`language.toml`, `plain_words.txt`).
2. The ways in which people say a thing are looked up as concepts (`concepts.toml`).
3. Each place is read: is the sign there, denied ("no numbness"), only supposed ("what if ..."), long past and settled,
   asked about in general, or a harmless sense of the same words ("numb with boredom")?
4. The rules below are tried. One condition is enough. A denied sign never hides one that is there.
5. The strictest rule that fired decides the notice; all of them are named in the reply, with the words that fired them.
   An emergency or a sign for today from an earlier turn still counts.

## The second reader

Nobody can list every way to say a thing. Where no rule raises an alarm, a second reader (`likeness.tsv`, read by
`likeness.py`) asks whether the message resembles others that needed care. It sums weights of words, pairs of
neighbouring words, pieces of words and the concepts above, each marked with how it is meant; what is denied counts
nothing. The weights were taught from examples written for it, `eval/data/triage.examples.jsonl`, which a clinician can
read and correct; `backline-eval teach-triage` teaches them again. It is the same for everybody and learns nothing
from what people ask.

It raises an alarm where no rule does, and a stricter one where the message resembles those of another rule and a
stricter level is likelier than not. The person sees the text of the rule whose examples are resembled most, at the
likeliest of that rule's levels, or the stricter one when in doubt. The reply names the rule with `"by": "likeness"`
and, as its words, those that weighed most; what a condition found has `"by": "rule"`.

Words of a sign also stand in harmless messages ("I kicked a ball about"). Where everything that a condition found
stands in one message of more than eight words, and that message resembles an alarm less than any known alarm that the
rules catch (`doubt_below` in the table), an alarm of level today or soon is not raised. An emergency that a rule finds
is never doubted. The bound is chosen when the weights are taught, on writers held back, with a margin.

Only English is screened. A question in another language is answered with a sentence in that language, where we have
one, that it could not be checked.

## Levels

| level | what the notice says |
|---|---|
{levels}

A general question about something dangerous brings the level `info` beside its answer. After `emergency` under RF20
and RF21 no answer follows.
"""

_SAFETY = "A safety rule of this product: no source that was read states how urgent it is."

_MODIFIERS = """## Who is at more risk

A modifier moves a rule one tier up. It never fires by itself, and it does not raise a rule that it is part of (a
dash). What is an emergency already is left out.

"""


def document_rules(rules: Rules) -> str:
    """The whole page, in Markdown."""
    reviewed = (
        f"They were reviewed by {rules.reviewed_by} on {rules.reviewed_on}."
        if rules.reviewed_by
        else "**No clinician has reviewed these rules.**"
    )
    levels = "\n".join(
        f"| {level.value} | {texts.title}. {texts.how} |".replace(".  |", ". |")
        for level, texts in rules.levels.items()
    )
    parts = [_INTRO.format(reviewed=reviewed, levels=levels), _MODIFIERS + "\n".join(_modifier_table(rules)) + "\n"]
    parts.append("## The rules\n")
    parts += ["\n".join(_rule_lines(rule, rules)) for rule in rules.rules]
    return "\n".join(parts)


def _modifier_table(rules: Rules) -> Iterator[str]:
    names = list(rules.modifiers)
    yield "| rule | level | " + " | ".join(name.replace("_", " ") for name in names) + " |"
    yield "|---" * (len(names) + 2) + "|"
    for rule in rules.rules:
        for variant in rule.variants:
            if variant.level is Level.EMERGENCY:
                continue
            raised = (variant.level.raised().value if name in rule.raised_by else "–" for name in names)
            yield f"| {rule.id} | {variant.level.value} | " + " | ".join(raised) + " |"


def _rule_lines(rule: Rule, rules: Rules) -> Iterator[str]:
    yield f"### {rule.id} {rule.name}\n"
    if rule.basis == "safety":
        yield f"{_SAFETY}\n"
    for variant in rule.variants:
        yield f"**{variant.level.value}**: {rules.texts[variant.text]}\n"
        if variant.basis != rule.basis:
            yield f"{_SAFETY}\n"
        yield "Fires on: " + "; ".join(_words_of(condition) for condition in variant.when) + ".\n"
    if rule.go_now_if:
        yield "Shown below the notice when it is no emergency: " + " ".join(rule.go_now_if) + "\n"
    if rule.variants[0].level is Level.EMERGENCY and rule.withhold:
        yield "No answer follows.\n"
    yield from (f"- `{source.source_id}` ({source.label}): {source.says}" for source in rule.sources)
    if rule.sources:
        yield ""


def _words_of(condition: Condition) -> str:
    said = " and ".join(_joined(group) for group in condition.groups)
    absent = "".join(f", unless {name.replace('_', ' ')}" for name in condition.absent)
    return said + absent


def _joined(group: Iterable[str]) -> str:
    return " with ".join(name.replace("_", " ") for name in group)


if __name__ == "__main__":
    _PAGE.write_text(document_rules(read_rules()), encoding="utf-8")
