"""Canned replies of ``POST /v1/ask``, one for each state of the interface, keyed by the question."""

from typing import Any

Json = dict[str, Any]

REST = "How long should I rest with a back spasm?"
HEAT = "Should I use heat or ice, and can I sleep with a heat pad on?"
NUMB = "My back went and I'm numb between my legs. Just a trapped nerve?"
KIDNEY = "It burns when I pee and my side aches"
WEEKS = "My back pain is no better after two weeks"
GENERAL = "What are the warning signs of cauda equina?"
SELF_HARM = "I can't go on with this pain any more"
DOSE = "Can I take a double dose of my muscle relaxant tonight?"
PARIS = "What is the capital of France?"
NOTHING = "Does a blue pillow help?"
UNCLEAR = "that thing"
HOSTILE = "<img src=x onerror=alert(1)> <script>alert(2)</script>"
WORDED = "Summarise what helps"
QUOTED = "What do the pages say in their own words?"
BROKEN = "Please fail"
LIMITED = "Too fast"
SLOW = "Take your time"
LONG_WORD = "Long words"
POISON = "I took too many ibuprofen tablets for my back"
SPANISH = "Me duele la espalda desde ayer, ¿qué hago?"
THEN = "Should I use heat then?"
THEN_POISON = "Can I rest in bed now?"

ALERT = "alert(document.domain)"


def citation(number: int, quote: str, **other: Any) -> Json:
    """Make a digest citation; keywords replace its fields."""
    return {
        "id": f"c{number}",
        "source_id": "ninds-back-pain",
        "document_id": "ninds-back-pain",
        "document_version": "sha256:0",
        "passage_id": f"p{number}",
        "quote": quote,
        "source_start": number,
        "source_end": number + len(quote),
        "prefix": "",
        "suffix": "",
        "locator": {"heading_path": [], "page": None, "anchor": None},
        "title": "Back Pain",
        "publisher": "NINDS, US National Institutes of Health",
        "url": "https://www.ninds.nih.gov/health-information/disorders/back-pain",
        "deep_link": "https://www.ninds.nih.gov/health-information/disorders/back-pain",
        "published": None,
        "retrieved": "2026-11-22",
        "licence": "",
        "credit": "",
        "evidence": "source",
        "digest": True,
        "facts": [],
        "support": {"label": "verbatim", "probability": 1.0, "method": "verbatim"},
        **other,
    }


def reply(**fields: Any) -> Json:
    """Make a whole reply; keywords replace its fields."""
    return {
        "id": "ans_1",
        "object": "answer",
        "status": "answered",
        "answer": "",
        "sentences": [],
        "citations": [],
        "passages": [],
        "missing": [],
        "differences": [],
        "triage": None,
        "abstention": None,
        "probability": None,
        "rewritten_question": None,
        "follow_ups": [],
        "mode": "extractive",
        "snapshot_id": "s",
        "model": "m",
        "disclaimer": "Information from health sources, not a diagnosis and no substitute for a doctor.",
        "timings_ms": {},
        "created": "2026-11-22T00:00:00Z",
        **fields,
    }


def answered(citations: list[Json], **fields: Any) -> Json:
    """Make a reply with one sentence for each citation."""
    sentences = [{"text": c["quote"], "start": 0, "end": 1, "citation_ids": [c["id"]]} for c in citations]
    return reply(sentences=sentences, citations=citations, **fields)


ADAM: Json = {
    "source_id": "medlineplus-low-back-pain-acute",
    "document_id": "medlineplus-low-back-pain-acute",
    "title": "Low back pain - acute",
    "publisher": "A.D.A.M. Medical Encyclopedia, MedlinePlus",
    "url": "https://medlineplus.gov/ency/article/007425.htm",
    "deep_link": "https://medlineplus.gov/ency/article/007425.htm",
    "evidence": "copy",
    "published": "2013",
}

BED_REST = citation(
    1,
    "NINDS limits bed rest for back pain to 1 to 2 days at most, and says to start being active again early.",
    suffix="NINDS says exercise may be the best way to get over back",
    locator={"heading_path": ["Back Pain (NINDS)", "How long should I stay in bed?"], "page": None, "anchor": None},
)
RESTART = citation(2, "A.D.A.M. says to restart everyday activity slowly after a couple of days of back pain.", **ADAM)
DOCTOR = citation(
    3,
    "NINDS says to see a doctor when 72 hours of looking after back pain at home have brought no clear relief of pain"
    " and inflammation.",
    credit="National Institute of Neurological Disorders and Stroke",
)
ACTIVE = citation(4, "A.D.A.M. advises against bed rest for back pain and recommends staying active.", **ADAM)
ORDER = citation(
    2, "One suggested order is ice until 48 to 72 hours have passed, then heat.", **{**ADAM, "evidence": "edition"}
)
HEAT_EASES = citation(
    1,
    "Mayo Clinic says heat plus a non-prescription pain reliever is enough for many people with back pain.",
    title="Back pain: diagnosis and treatment",
    publisher="Mayo Clinic",
    evidence="candidate",
    url="https://www.mayoclinic.org/diseases-conditions/back-pain",
    deep_link="",
)


def notice(level: str, title: str, label: str, how: str, message: str, **fields: Any) -> Json:
    """Make a ``triage`` object."""
    return {
        "urgent": level in {"emergency", "today"},
        "level": level,
        "rules": [{"id": "RF01", "matched": "numb between my legs", "level": level, "by": "rule"}],
        "key": "rf.01",
        "label": label,
        "title": title,
        "how": how,
        "message": message,
        "conditional": [],
        "sources": [
            {"source_id": "ninds-back-pain", "label": "source", "says": "Numbness between the legs needs care now."}
        ],
        "basis": "sources",
        "self_harm": False,
        **fields,
    }


EMERGENCY = notice(
    "emergency",
    "Get emergency help now",
    "Emergency",
    "Use the number for where you are, or go to an emergency department.",
    "Back pain with a change in your bladder, bowel, sex life or feeling between the legs can mean that nerves at the"
    " base of the spine are being squeezed. The damage can become permanent. Go now, even if this is your only sign.",
)
TODAY = notice(
    "today",
    "See a doctor today",
    "Today",
    "If nobody can see you within 24 hours, go to an emergency department.",
    "Burning when you pee with an aching side can mean a kidney infection, which needs antibiotics.",
    rules=[{"id": "RF09", "matched": "burns when I pee", "level": "today", "by": "rule"}],
    conditional=["Go now if you are confused, faint, pregnant, breathing fast, or cannot keep fluids down."],
)
SOON = notice(
    "soon",
    "Book an appointment",
    "In the next few days",
    "",
    "Back pain that is no better after about three days, lasts for weeks or keeps coming back should be checked by a"
    " doctor.",
    rules=[{"id": "RF19", "matched": "no better after two weeks", "level": "soon", "by": "rule"}],
)
INFO = notice(
    "info",
    "When this is an emergency",
    "Good to know",
    "If you or someone with you has these signs, get emergency help now.",
    "Trouble peeing, numbness between the legs and new weakness in the legs are such signs.",
)
CRISIS = notice(
    "emergency",
    "Get emergency help now",
    "Emergency",
    "Use the number for where you are, or go to an emergency department.",
    "You don't have to face this alone. Help is available now. Talk to a crisis line, or call your emergency number if"
    " you might act on these thoughts.",
    rules=[{"id": "RF21", "matched": "can't go on", "level": "emergency", "by": "rule"}],
    sources=[],
    basis="safety",
    self_harm=True,
)


POISONING = notice(
    "emergency",
    "Get emergency help now",
    "Emergency",
    "Use the number for where you are, or go to an emergency department.",
    "Too much medicine, a swelling face after a tablet, or being hard to wake is an emergency. Call your emergency"
    " number or a poison centre now.",
    rules=[{"id": "RF20", "matched": "too many ibuprofen", "level": "emergency"}],
    key="rf.20",
    sources=[],
    basis="safety",
)


def abstained(reason: str, nearest: list[Json], *, about_medicine: bool = False, **fields: Any) -> Json:
    """Make a reply without an answer."""
    abstention = {"reason": reason, "message": "No.", "nearest": nearest, "about_medicine": about_medicine}
    return reply(status="abstained", abstention=abstention, **fields)


EVIL_CITATION = citation(
    1,
    "<img src=x onerror=alert(3)> evil quote",
    title="<script>alert(4)</script> title",
    publisher='"><svg onload=alert(5)>',
    url=f"javascript:{ALERT}",
    deep_link=f"javascript:{ALERT}//#:~:text=x",
    credit="<iframe srcdoc='<script>alert(6)</script>'></iframe>",
    published="<b>2013</b>",
    evidence="<i>",
    prefix="<style>*{display:none}</style>",
    locator={"heading_path": ["<h1 onclick=alert(7)>x</h1>"], "page": None, "anchor": None},
)

REPLIES: dict[str, Json] = {
    REST: {
        **answered([BED_REST, RESTART, DOCTOR]),
        "citations": [BED_REST, RESTART, DOCTOR, ACTIVE],
        "differences": [
            {
                "topic": "bed rest",
                "care": False,
                "positions": [
                    {"text": "1 to 2 days in bed at most.", "citation_ids": ["c1"]},
                    {"text": "No bed rest; stay active.", "citation_ids": ["c4"]},
                ],
            }
        ],
        "follow_ups": ["Is exercise good for back pain?", "Should I use ice or heat on my back?"],
    },
    HEAT: answered(
        [HEAT_EASES, ORDER], status="partial", missing=["sleep with a heat pad on"], rewritten_question=None
    ),
    NUMB: answered([DOCTOR], triage=EMERGENCY, follow_ups=["Is exercise good for back pain?"]),
    KIDNEY: answered([DOCTOR], triage=TODAY),
    WEEKS: answered([DOCTOR], triage=SOON),
    GENERAL: answered([DOCTOR], triage=INFO),
    SELF_HARM: reply(status="withheld", triage=CRISIS),
    POISON: reply(status="withheld", triage=POISONING),
    THEN: answered([DOCTOR], triage=EMERGENCY),
    THEN_POISON: reply(status="withheld", triage=POISONING),
    SPANISH: reply(
        status="abstained",
        abstention={
            "reason": "not_screened",
            "message": "No se pudo comprobar si esta pregunta contiene señales de alarma.",
            "nearest": [],
            "about_medicine": False,
            "language": "es",
        },
    ),
    DOSE: abstained("personal_advice", [HEAT_EASES], about_medicine=True),
    PARIS: abstained("out_of_scope", []),
    NOTHING: abstained("nothing_found", []),
    UNCLEAR: abstained("unclear", [], follow_ups=["Does heat or ice help?", "What is a back spasm?"]),
    HOSTILE: answered(
        [EVIL_CITATION],
        triage=notice(
            "soon",
            "<b>t</b>",
            "<i>l</i>",
            "<u>h</u>",
            "<script>alert(8)</script>",
            sources=[
                {
                    "source_id": "x",
                    "label": "source",
                    "says": "<img src=x onerror=alert(9)>",
                    "url": f"javascript:{ALERT}",
                    "title": "<b>w</b>",
                }
            ],
        ),
        missing=["<img src=x onerror=alert(10)>"],
        follow_ups=["<img src=x onerror=alert(11)>"],
        differences=[
            {
                "topic": "<b>x</b>",
                "care": True,
                "positions": [{"text": "<svg onload=alert(12)>", "citation_ids": ["c1"]}],
            }
        ],
    ),
    WORDED: answered(
        [citation(1, "Heat or cold may help.", support={"label": "entailed", "probability": 0.9, "method": "nli"})],
        mode="generative",
    ),
    QUOTED: answered(
        [
            citation(
                1,
                "Bed rest should be limited.",
                digest=False,
                deep_link="https://www.ninds.nih.gov/back#:~:text=Bed%20rest%20should%20be%20limited.",
                prefix="As to rest:",
                published="2024-03-05",
            )
        ]
    ),
    SLOW: answered([BED_REST]),
    LONG_WORD: answered([citation(1, "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenverordnung" * 2)]),
    "Is exercise good for back pain?": answered(
        [
            citation(1, "NINDS says exercise may be the best way to get over back pain faster.", passage_id="p9"),
            {**BED_REST, "id": "c2"},
        ],
        rewritten_question="Is exercise good for a back spasm?",
    ),
}
