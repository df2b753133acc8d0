"""What a question asks: its parts, its core, and whether it asks for advice that only a person can give.

Plain word rules, so that the same question is always read in the same way.
"""

import re
from dataclasses import dataclass

from corpus.sentences import split_sentences
from index.lexical import STOP_WORDS, stems

LONG_WORDS = 30
"""A question with more words is condensed to the sentences that ask."""

MAX_PARTS = 3

_TREATMENT = (
    r"(?:a |an |the )?(?:heating pads?|heat(?: pads?| packs?)?|ice(?: packs?)?|cold packs?|hot baths?|massages?|exercises?|"
    r"stretch(?:es|ing)|yoga|pilates|swimming|walking|bed rest|acupuncture|physical therapy|physio(?:therapy)?)"
)

_ASKS = re.compile(
    r"^(?:so |and |but |ok(?:ay)? |honestly |please |also |or )*"
    r"(?:how|what|whats|which|when|where|why|who|is|are|am|was|do|does|did|can|could|should|shall|will|would|any|may|has|have)\b",
    re.IGNORECASE,
)
_ASKS_INSIDE = re.compile(
    r"\b(?:how (?:long|much|many|often|soon|do|does|can|is|are|to)|what (?:is|are|should|can|do|does|helps?|causes?)|"
    r"when (?:should|do|is|can)|why (?:do|does|is|are)|is it (?:true|ok|okay|safe|normal|bad)|should (?:i|he|she|we|they)|"
    r"can (?:i|he|she|we|they|you|it)|any (?:tips|ideas|advice)|does|do repeat|could you)\b",
    re.IGNORECASE,
)
_JOINED = re.compile(
    r"[?;,]?\s*(?:,|;|\?|\.|\band\b|\bor\b)\s*(?:and\s+|also\s+)?"
    r"(?=(?:how|what|which|when|where|why|who|should|can|could|does|do|did|is|are|will)\b[^?]{8,})",
    re.IGNORECASE,
)

_DRUGS = (
    r"ibuprofen|naproxen|paracetamol|acetaminophen|tylenol|advil|aleve|nurofen|panadol|aspirin|diclofenac|celecoxib|"
    r"codeine|tramadol|morphine|oxycodone|hydrocodone|opioids?|cocodamol|co-codamol|diazepam|valium|cyclobenzaprine|flexeril|"
    r"methocarbamol|tizanidine|baclofen|robaxin|gabapentin|pregabalin|lyrica|duloxetine|cymbalta|amitriptyline|"
    r"prednisone|steroids?|magnesium|potassium|vitamins?|antibiotics?|muscle relax(?:ant|er)s?|pain ?killers?|"
    r"pain (?:relievers?|pills?|meds?|medicines?|tablets?)|anti-?inflammator(?:y|ies)|nsaids?|blood thinners?|warfarin|"
    r"sertraline|antidepressants?|meds?|medicines?|medications?|tablets?|pills?|capsules?|patch(?:es)?|drops|supplements?"
)
_DRUG = re.compile(rf"\b(?:{_DRUGS})\b", re.IGNORECASE)
_AMOUNT = re.compile(
    r"\bhow (?:much|many|often)\b(?! (?:(?:glasses|liters|litres|cups|pints|bottles) of )?(?:water|fluids?|liquids?)\b)|\b(?:what|which|right|correct|safe|maximum|max|usual) (?:dose|dosage|amount|strength)\b|"
    r"\bdos(?:e|es|age|ing)\b|\b\d+ ?(?:mg|mcg|g|ml|milligrams?)\b|\b(?:double|extra|another|one more|two more|higher|lower)\b|"
    r"\btwo\b.{0,25}\binstead\b|\binstead of (?:one|two|1|2)\b|\b(?:go up|cut down|cut back|top up|wean|taper|come off|coming off)\b|"
    r"\b(?:stop|quit|skip|halve|mix|combine|switch)(?:ping|ting|ing)?\b|\bon top\b|\btogether\b|\bwith (?:alcohol|beer|wine|my)\b|"
    r"\b\d{3,4} or \d{3,4}\b|\b(?:forgot|missed|skipped)\b.{0,60}\btake\b|\btake (?:two|2|three|3|both|more)\b",
    re.IGNORECASE,
)
_TWO_TREATMENTS = re.compile(rf"\b(?:{_TREATMENT}|{_DRUGS}) and (?:{_TREATMENT}|{_DRUGS})\b", re.IGNORECASE)
_AT_ONCE = re.compile(
    r"\b(?:together|same time|both|combin\w+|mix\w*|alternat\w+|versus|vs|difference|between|better)\b", re.IGNORECASE
)
_OWN = re.compile(
    r"\b(?:i|i'm|im|i've|ive|i'd|me|my|mine|we|our|us|he|she|his|her|him|(?:my|our) \w+|mum|mom|dad|wife|husband|son|daughter)\b",
    re.IGNORECASE,
)
_DIAGNOSE = re.compile(
    r"\bdiagnos(?:e|is) me\b|\bwhat(?:'s| is|s) wrong with (?:me|my|him|her|us)\b|\bwhat (?:do|have) i (?:have|got)\b|"
    r"\b(?:do|have|could|might|does) (?:i|he|she|my \w+) (?:have|has|got|torn|slipped|pulled|broken|ruptured|sprained)\b(?! to\b)|"
    r"\b(?:i have|i've got|ive got|i got|he has|she has) (?:a |an |the )?[\w\s-]{3,40}\bor (?:just|is it|not|only|a|an)\b|"
    r"\bis (?:this|that|my (?:back )?\w+)(?: \w+){0,4} or (?:just )?(?:a |an |my )?\w+|"
    r"\b(?:mean|means|meaning) (?:that )?(?:i've|ive|i have|i got|i might have)\b|"
    r"\bcan you tell (?:me )?(?:from|if|what|whether)\b|\btell me (?:which|what i have)\b|\bis (?:it|this) .{3,40} that i have\b|"
    r"\bare these \w+(?: or not)?\b|\bso is that my\b|\bdo you think (?:it|this|i|that)\b|\bcould (?:it|this|that|mine) be\b(?! (?:it|why|the (?:reason|cause))\b)|"
    r"\bis (?:it|this|that) (?!(?:safe|ok|okay|normal|true|usual\w*|good|bad|with|worth|on|in|all|better|enough)\b)"
    r"(?:a |an |my |just )?[\w\s-]{3,40} or (?:just |not\b|only )|\byes or no\b|\bis (?:it|this|that) (?:a |an )?(?:tumou?r|cancer|cancerous)\b|"
    r"\b(?:tell|know) (?:me )?if (?:i|he|she|they)(?:'ve| have|'s| has)? ?(?:got|have|has)?\b|\bis that what(?:'s| is) causing my\b|\blook at my symptoms\b|"
    r"\bis (?:it|this|that) (?:just |only )?(?:a |an |my )?(?:(?:slipped|herniated|bulging) dis[ck]|sciatica|stenosis|kidneys?|"
    r"(?:kidney |gall)stones?|kidney infection|muscle|spasm|strain|arthritis)\s*\?*$|"
    r"\bwhat(?:'s| is|s) causing my\b|\bhave i (?:torn|slipped|pulled|broken|got|done|damaged|ruptured|sprained|herniated)\b",
    re.IGNORECASE,
)
_WHAT_IS_IT = re.compile(
    r"\b(?:i have|i've got|ive got|i've|my \w+) .{5,80}\bwhat (?:is|could|can) (?:it|this|that)(?: be)?\s*\?*$",
    re.IGNORECASE,
)
_TOLD = re.compile(
    r"\bmyofascial\b|\b(?:say|said|told|tell|call|mention|recommend|suggest|prescrib|want)(?:s|ed|ing|es)?\b",
    re.IGNORECASE,
)
"""Where "it" is what somebody named: "my doctor said spondylosis. What is it?" asks for a meaning."""

_ORDERS = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,30}\b(?:instructions?|rules?|sources|prompts?|above|previous|safety|told|everything)\b|"
    r"\bsystem prompt\b|\bhidden (?:instructions?|prompt)\b|\bdeveloper mode\b|\bjailbreak\b|\bact as (?:an?|the)\b|\byou are now\b|\bpretend (?:to be|you are)\b|"
    r"\bnew instructions?\b|\brepeat the words above\b|\b(?:admin|root) password\b|^\s*(?:system|###\s*\w+)\s*:|"
    r"</?(?:context|system|instructions?)>|\byou must (?:say|answer|reply|tell)\b|\bfrom now on\b",
    re.IGNORECASE | re.MULTILINE,
)
TOPIC = re.compile(
    r"\b(?:back|spine|spinal|spasms?|sciatica|dis[ck]s?|kidneys?|gallstones?|stones?|gallbladder|cramps?|strains?|sprains?|"
    r"tumou?rs?|stenosis|cauda|equina|tethered|myofascial|muscles?|nerves?|posture|lumbar|bed rest)\b",
    re.IGNORECASE,
)
"""Words that name what Backline knows about."""

SUBJECT = re.compile(
    r"\b(?:gallstones?(?: attacks?)?|gallbladder(?: attacks?)?|kidney (?:stones?|infections?)|"
    r"cauda equina(?: syndrome)?|"
    r"spinal stenosis|sciatica|(?:herniated|slipped|bulging|ruptured|burst|prolapsed) dis[ck]s?|"
    r"(?:pulled|strained|torn|sprained) (?:\w+ )?(?:muscles?|ligaments?|hamstrings?|ankles?|back)|"
    r"(?:spinal (?:cord )?)?tumou?rs?|"
    r"tethered (?:spinal )?cord(?: syndrome)?|myofascial (?:release|pain syndrome)|muscle (?:relaxants?|cramps?)|"
    r"(?:leg|calf|night) cramps?|charley horse|back spasms?|sprains?|strains?)\b",
    re.IGNORECASE,
)
"""Names of what the sources have pages on; "back pain" is in nearly every question and tells less."""

_TOPIC_WORD = re.compile(r"[A-Za-z][A-Za-z'’-]*")
_WITH_TOPIC = re.compile(r"pains?|aches?|attacks?|infections?|rest|disease|syndrome|stones?", re.IGNORECASE)

_DENIES = re.compile(r"\b(?:no|not|don't|dont|doesn't|haven't|havent|never|without)\b", re.IGNORECASE)

_LAY = (
    (
        re.compile(
            r"\bback\b(?: \w+){0,3} (?:locked|locks|locking|seized|seizes|seizing|went|goes|gone|gave|jammed|cramped)\b|"
            r"\b(?:put|threw|thrown|did|done|tweaked) (?:my|his|her|out my) back\b|\bback (?:went|is|has gone) out\b",
            re.IGNORECASE,
        ),
        "back spasm",
    ),
    (re.compile(r"\b(?:slipped|bulging|ruptured|prolapsed) dis[ck]s?\b", re.IGNORECASE), "herniated disk"),
    (
        re.compile(
            r"\b(?:pulled|pulling|torn) (?:a |my |his |her )?(?:back |lower back )?muscles?\b|\bpulled my back\b",
            re.IGNORECASE,
        ),
        "muscle strain",
    ),
    (re.compile(r"\b(?:water|urine) infection\b|\buti\b", re.IGNORECASE), "urinary tract infection"),
    (
        re.compile(
            r"\bsigns?\b.*\b(?:doctor|care|emergency|urgent|hospital|help|serious|danger\w*|worr\w+)\b", re.IGNORECASE
        ),
        "emergency warning signs with back pain: fever, numbness, trouble peeing",
    ),
    (re.compile(r"\bcharley ?hoa?rse\b", re.IGNORECASE), "muscle cramp"),
    (
        re.compile(
            r"\b(?:bent|stood|got up|reached|lifted|turned|twisted|sneezed|coughed)\b.{0,30}\bit (?:just |suddenly |all )*"
            r"(?:locked|seized|froze|jammed|went|gripped|grabbed|caught)\b",
            re.IGNORECASE,
        ),
        "back spasm",
    ),
    (
        re.compile(r"\b(?:go|going|get|getting|back) (?:in ?)?to work\b|\b(?:keep|carry on) working\b", re.IGNORECASE),
        "stay active with back pain, daily tasks",
    ),
    (
        re.compile(r"\b(?:something|anything) (?:really )?(?:bad|serious|sinister|nasty|worse)\b", re.IGNORECASE),
        "warning signs with back pain",
    ),
    (re.compile(r"\bchiropract\w+\b", re.IGNORECASE), "spinal manipulation for back pain"),
)
"""Lay phrases whose name in the corpus is another one."""

_QUANTITY = re.compile(
    r"\bhow (?:many|much|often|far)\b|\b(?:what|which) (?:size|percent(?:age)?|number|"
    r"share|rate|temperature|age|year|dose|amount|proportion)\b|\bsurvival rate\b|\bsuccess rate\b|\bcosts?\b|\bprice\b",
    re.IGNORECASE,
)
_DURATION = re.compile(
    r"\bhow (?:long|soon|fast|quick(?:ly)?)\b|\bhow many (?:hours|days|weeks|months|years)\b", re.IGNORECASE
)
_NAME = re.compile(
    r"\b(?:which|what|best) (?:\w+ )?(?:brand|gene|antibiotic|drug|exercise|pose|poses|stretch|stretches|hospital|surgeon|doctor|cream|app|"
    r"cushion|mattress|chair|shoes?|diet|vitamin|tea|oil)s?\b",
    re.IGNORECASE,
)
_WHY = re.compile(
    r"(?:^|[.!?] )(?:so |and |but |ok |please )*"
    r"(?:why|how come|since when|now that|given that|seeing that|since \w+ \w+)\b(?! (?:\w+n't|not|dont|doesnt|wont|cant)\b)",
    re.IGNORECASE,
)
_SWEEPING = re.compile(
    r"\b(?:always|never|every(?:body|one)?|all|only|nobody|no one|none|any|both|must|proven|whatsoever|same|entire|whole|"
    r"cures?|banned|stop(?:ped)?|forever|overnight|best|impossible|most)\b",
    re.IGNORECASE,
)
_LETTERS = re.compile(r"[^\W\d_]{2,}")


GENERIC = frozenset(
    stems(
        "actually really proper properly exactly quite true truly best good better bad worse lot lots kind sort type way ways thing "
        "things stuff need needs want like know think say says said told hear heard read reading look looking find try trying "
        "keep make makes go going goes come give take takes put use using used work works working tip tips advice help helps "
        "please thanks hi hello number set much many people person someone anyone anybody everybody everyone else ever never "
        "usually normally generally typical typically common mean means meant call called count counts happen happens thing "
        "fine ok okay yes no not maybe still even again always often sometimes lately recently honestly basically roughly "
        "okay question ask asking answer explain first next last new old year years time times day days week weeks month months"
    )
)
"""Stems that say little about the topic: the corpus need not know them for a question to be covered."""


@dataclass(frozen=True, slots=True)
class Understanding:
    """How a question is read.

    Attributes:
        core: What is searched: the question itself, or the asking sentences of a long one.
        parts: The questions in it, at least one, at most three.
        asks_dose: It asks for a dose or a change of medicine for a person.
        asks_diagnosis: It asks what a person has.
        gives_orders: It tries to give the service orders.
        about_medicine: It names a medicine.
        wordless: It has no words.
        wants: What kind of detail it asks for, or "".
    """

    core: str
    parts: tuple[str, ...]
    asks_dose: bool
    asks_diagnosis: bool
    gives_orders: bool
    about_medicine: bool
    wordless: bool


def understand(question: str, earlier: str = "") -> Understanding:
    """Read one question; cost is linear in its length.

    Args:
        question: The question.
        earlier: The turn that it leans on: a medicine that is named there is what is asked about.
    """
    text = " ".join(question.split())
    core = restate(condense(text))
    asking = " ".join(_asking(text)) or text
    about_medicine = _DRUG.search(f"{text} {earlier}") is not None
    owned = _OWN.search(text) is not None
    return Understanding(
        core=core,
        parts=split_parts(core),
        asks_dose=about_medicine and owned and _AMOUNT.search(asking) is not None,
        asks_diagnosis=_DIAGNOSE.search(asking) is not None or _asks_what_it_is(text),
        gives_orders=_ORDERS.search(question) is not None,
        about_medicine=about_medicine,
        wordless=_LETTERS.search(text) is None,
    )


def names_somebody(text: str) -> bool:
    """Whether a text is about the asker or somebody near: "my", "he", "our dad"."""
    return _OWN.search(text) is not None


def _asks_what_it_is(text: str) -> bool:
    """Whether somebody tells a complaint and then asks what it is; who names it asks what the name means."""
    return _WHAT_IS_IT.search(text) is not None and SUBJECT.search(text) is None and _TOLD.search(text) is None


def _asking(text: str) -> list[str]:
    """Return the sentences that ask."""
    sentences = [text[span.start : span.end] for span in split_sentences(text)]
    return [s for s in sentences if s.endswith("?") or _ASKS.match(s)] or [
        s for s in sentences if _ASKS_INSIDE.search(s)
    ]


def asks(text: str) -> bool:
    """Whether a text asks anything, with or without a question mark."""
    sentences = [text[span.start : span.end].strip() for span in split_sentences(text)]
    return any("?" in s or _ASKS.match(s) or _ASKS_INSIDE.search(s) for s in sentences)


def wanted(question: str) -> str:
    """Return the kind of detail that a question asks for: ``duration``, ``quantity``, ``name`` or ""."""
    for kind, pattern in (("duration", _DURATION), ("quantity", _QUANTITY), ("name", _NAME)):
        if pattern.search(question):
            return kind
    return ""


def presumes(question: str) -> bool:
    """Whether a question takes something sweeping for granted: "why do gallstones always …?", "since nobody …"."""
    return _WHY.search(question) is not None and _SWEEPING.search(question) is not None


_ELLIPTIC = re.compile(
    r"\b(?:need|have|ought|got|want|allowed|supposed|meant) to(?=\s*(?:[,.;?!]|$))|"
    r"\b(?:should|can|could|must|may) (?:i|we|he|she|they|you)(?=\s*(?:[,.;?!]|$))",
    re.IGNORECASE,
)
"""A question whose verb stands in the sentence before: "I don't want to give up milk. Do I really need to?"."""


def condense(question: str) -> str:
    """Return the sentences of a long question that ask something; a short question comes back as it is.

    Where nothing asks, the question comes back whole: words are never thrown away for nothing.
    """
    sentences = [question[span.start : span.end] for span in split_sentences(question)]
    # What a person does not have would only be found: a short question is condensed when it denies something.
    if len(question.split()) <= LONG_WORDS and not any(_DENIES.search(s) and "?" not in s for s in sentences[:-1]):
        return question
    asking = [s for s in sentences if s.endswith("?") or _ASKS.match(s)]
    if not asking:
        asking = [s for s in sentences if _ASKS_INSIDE.search(s)]
    if not asking:
        return question
    if TOPIC.search(" ".join(asking)) is None:
        # "How long do these things take?": what was said of these things just before comes along.
        before = [s for s in sentences[: sentences.index(asking[0])] if TOPIC.search(s)]
        asking = [*before[-1:], *asking]
    first = sentences.index(asking[0])
    if first and _ELLIPTIC.search(asking[0]):
        asking = [sentences[first - 1], *asking]
    core = " ".join(asking)
    return core if TOPIC.search(core) else question


_OTHER_ORGANS = re.compile(r"\b(?:kidneys?|gall ?(?:bladder|stones?)|stones?)\b", re.IGNORECASE)


def restate(question: str) -> str:
    """Add the corpus's name for what a lay phrase means: "my back locked up" is searched as a back spasm too."""
    elsewhere = _OTHER_ORGANS.search(question) is not None
    names = [
        name
        for pattern, name in _LAY
        if pattern.search(question) and name not in question.lower() and not (elsewhere and "back" in name)
    ]
    if not names:
        return question
    return f"{question.rstrip(' .!')} ({', '.join(names)})"


def split_parts(question: str) -> tuple[str, ...]:
    """Cut a question into the questions in it: at question marks, and before a joined question word."""
    parts: list[str] = []
    for span in split_sentences(question):
        sentence = question[span.start : span.end]
        begin = 0
        for match in _JOINED.finditer(sentence):
            if match.start() - begin >= 12:  # a part needs a few words to be one
                parts.append(sentence[begin : match.start()])
                begin = match.end()
        parts.append(sentence[begin:])
    asking = [
        part.strip(" ,;") for part in parts if len(part.split()) > 2 and (_ASKS.match(part.strip()) or "?" in part)
    ]
    if len(asking) < 2:
        return _by_treatment(question)
    return tuple(asking[:MAX_PARTS])


def _by_treatment(question: str) -> tuple[str, ...]:
    """Cut "is it safe to use heat and ibuprofen?" into a question about each; what is asked of both together stays."""
    named = _TWO_TREATMENTS.search(question)
    if named is None or not _ASKS.match(question) or _AT_ONCE.search(question):
        return (question,)
    each = re.split(r" and ", named[0], flags=re.IGNORECASE)
    if all(_DRUG.fullmatch(one) for one in each):  # of two medicines the pair is what matters
        return (question,)
    return tuple(question[: named.start()] + one + question[named.end() :] for one in each)


def topic_of(question: str) -> str:
    """Return what a question is about: its first run of topic words, else its telling words."""
    words = _TOPIC_WORD.findall(question)
    runs: list[list[str]] = [[]]
    for word in words:
        if TOPIC.fullmatch(word) or (runs[-1] and _WITH_TOPIC.fullmatch(word)):
            runs[-1].append(word)
        elif runs[-1]:
            runs.append([])
    longest = max(runs, key=len)
    return " ".join(longest or [word for word in words if word.lower() not in STOP_WORDS][:4])
