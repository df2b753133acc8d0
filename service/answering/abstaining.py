"""When to be silent: features of what was found, a calibrated probability, and the kind of silence."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import cast

from index.known import Nearness
from index.lexical import LexicalIndex, stems
from index.retrieving import Found
from service.answering.errors import CalibrationError
from service.answering.following_up import LEANING, REWRITTEN
from service.answering.records import Reason
from service.answering.understanding import GENERIC, Understanding, names_somebody, presumes, wanted

CALIBRATION_FILE = Path(__file__).parents[1] / "data" / "calibration.json"

OUT_OF_DOMAIN_COSINE = 0.30
"""Below it, nothing that was found is about the question."""

NEARBY_COSINE = 0.5
"""From it on, something that was found is close to the question."""

HALF = 0.5

ALIKE = 0.6
"""From this cosine on a question asks much the same as a known one."""

HEALTH = re.compile(
    r"\b(?:back(?:ache)?|spin(?:e|al)|neck|muscles?|nerves?|disks?|bones?|joints?|kidneys?|bladder|stones?|gall\w*|cramps?|spasms?|sciatica|"
    r"pains?|painful|ach(?:e|es|ing)|hurt(?:s|ing)?|sore|stiff|numb\w*|tingl\w*|weak\w*|injur\w*|strain\w*|sprain\w*|tumou?rs?|cancer|stenosis|cauda|"
    r"equina|tethered|myofascial|doctors?|hospital|surgery|operation|physical therap\w*|massage|medicines?|tablets?|pills?|injections?|antibiotics?|"
    r"symptoms?|disease|illness|treat\w*|pregnan\w*|posture|lift\w*|sleep\w*|mattress|infection|fever|legs?|foot|feet|hips?|belly|urine|pee\w*)\b",
    re.IGNORECASE,
)
"""Words that make a question one about health near the back."""

_TIME = re.compile(r"\b(?:hours?|days?|weeks?|months?|years?|minutes?)\b")
_NUMBER = re.compile(r"\d")

MESSAGES: Mapping[Reason, str] = {
    "out_of_scope": "I only know about back pain and what can cause it.",
    "nothing_found": "I looked and found nothing that fits. Other words may help.",
    "personal_advice": "This depends on you and your medicines. A doctor or pharmacist who knows you can say.",
    "not_in_sources": "My sources come close to this but do not answer it.",
    "unclear": "I'm not sure what you mean. Did you mean one of these?",
    "not_screened": "This question could not be checked for warning signs, because only English is checked.",
}


OTHER_SCOPE = "The documents that I have here are about something else."
"""Out of scope for a collection of which nobody has said what it is about."""


def message_of(reason: Reason, collection: str, scope: str) -> str:
    """Return the plain sentence for a kind of silence; what a collection is about is its own operator's to say."""
    if reason != "out_of_scope" or collection == "default":
        return MESSAGES[reason]
    return scope or OTHER_SCOPE


@dataclass(frozen=True, slots=True)
class Calibration:
    """Logistic calibration of features to the probability that an answer is right.

    Attributes:
        model_id: Embedding model that the features were made with.
        features: Their names, in order.
        mean: Mean of each on the fitted set.
        scale: Standard deviation of each, above 0.
        weights: Weight of each standardised feature.
        intercept: Constant.
        threshold: Probability below which the service is silent.
        calibrated_on: The set and its hash.

    Raises:
        CalibrationError: the lists differ in length, or a scale is not positive.
    """

    model_id: str
    features: tuple[str, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float
    threshold: float
    calibrated_on: str

    def __post_init__(self) -> None:
        lengths = {len(self.features), len(self.mean), len(self.scale), len(self.weights)}
        if len(lengths) != 1 or min(self.scale, default=1.0) <= 0:
            raise CalibrationError("the calibration is malformed; make it anew with `backline-eval calibrate`")

    def probability(self, features: Mapping[str, float]) -> float:
        """Return the probability in (0, 1) that an answer made from these features is right."""
        total = self.intercept + sum(
            weight * (features[name] - mean) / scale
            for name, mean, scale, weight in zip(self.features, self.mean, self.scale, self.weights, strict=True)
        )
        return 1.0 / (1.0 + math.exp(-max(-40.0, min(40.0, total))))


def load_calibration(model_id: str, path: Path = CALIBRATION_FILE) -> Calibration:
    """Read the calibration.

    Raises:
        CalibrationError: it is missing, malformed, or was made with another model.
    """
    try:
        row = json.loads(path.read_text(encoding="utf-8"))
        calibration = Calibration(
            model_id=row["model_id"],
            features=tuple(row["features"]),
            mean=tuple(row["mean"]),
            scale=tuple(row["scale"]),
            weights=tuple(row["weights"]),
            intercept=row["intercept"],
            threshold=row["threshold"],
            calibrated_on=row["calibrated_on"],
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CalibrationError(f"{path.name} cannot be read; make it anew with `backline-eval calibrate`") from error
    if calibration.model_id != model_id:
        raise CalibrationError(
            f"{path.name} was made with the model {calibration.model_id}, but {model_id} is running; "
            "make it anew with `backline-eval calibrate`"
        )
    return calibration


def features_of(core: str, found: Found, words: LexicalIndex, leaning: float = 0.0) -> dict[str, float]:
    """Describe how well what was found fits the question.

    Args:
        core: The searched question.
        found: What the retriever found.
        words: The lexical index, for the weight of each word.
        leaning: How much of an earlier turn was searched with it.

    Returns:
        Cosines of the best sentences and passages, and how much of the question's telling words (by inverse
        document frequency) the corpus and the best sentences know; how near the question comes to known questions
        that the sources answer, and to known ones that they don't (0 where a collection has none), and what these have
        taught of the odds; whether it leans on
        an earlier turn, with that turn's topic in its words or without.
    """
    top = found.sentences[:5]
    cosines = [hit.cosine for hit in top] or [0.0]
    best_passage = max((hit.cosine for hit in found.passages), default=0.0)
    asked = [word for word in dict.fromkeys(stems(core)) if word not in GENERIC]
    weights = {word: words.idf(word) for word in asked}
    total = sum(weights.values()) or 1.0
    known = words.vocabulary
    near = {word for hit in top[:3] for word in stems(f"{hit.passage.context} {hit.text}")}
    section = {word for hit in top for word in stems(hit.passage.embedded_text)}
    rarest = max((weight for word, weight in weights.items() if word not in section), default=0.0)
    highest = words.idf("")  # as telling as a word can be
    wants = wanted(core)
    said = " ".join(hit.text for hit in top[:3])
    answered, unanswered = found.known.answered or (0.0,), found.known.unanswered or (0.0,)
    return {
        "best_sentence": max(cosines),
        "first_sentence": cosines[0],
        "mean_of_three": sum(cosines[:3]) / len(cosines[:3]),
        "best_passage": best_passage,
        "covered": sum(weight for word, weight in weights.items() if word in near) / total,
        "covered_by_sections": sum(weight for word, weight in weights.items() if word in section) / total,
        "unknown": sum(weight for word, weight in weights.items() if word not in known) / total,
        "unknown_words": float(sum(word not in known for word in asked)),
        "words": math.log1p(len(asked)),
        "rarest_uncovered": rarest / highest / math.sqrt(max(1, len(asked))),
        "duration_unsaid": float(wants == "duration" and _TIME.search(said) is None),
        "quantity_unsaid": float(wants == "quantity" and _NUMBER.search(said) is None),
        "wants_quantity": float(wants == "quantity"),
        "wants_name": float(wants == "name"),
        "presumes": float(presumes(core)),
        "like_answered": answered[0],
        "like_three_answered": fmean(answered[:3]),
        "like_more_answered": fmean(answered),
        "like_unanswered": unanswered[0],
        "like_three_unanswered": fmean(unanswered[:3]),
        "log_odds": found.known.log_odds,
        "leans": float(leaning == LEANING),
        "rewritten": float(leaning == REWRITTEN),
    }


def silence(understanding: Understanding) -> Reason | None:
    """Return the kind of silence that the question itself asks for, whatever was found."""
    if understanding.wordless:
        return "unclear"
    if understanding.gives_orders:
        return "out_of_scope"
    if understanding.asks_dose or understanding.asks_diagnosis:
        return "personal_advice"
    return None


def kind_of_silence(
    core: str, features: Mapping[str, float], recognised: float, known: Nearness, topic: str = ""
) -> Reason:
    """Return why a question with too low a probability is not answered.

    Args:
        core: The searched question.
        features: From :func:`features_of`.
        recognised: Share of its words that are words at all.
        known: How near known questions are; a near one without an answer lends its reason.
        topic: The turn that it leans on, if any.
    """
    if recognised < HALF:
        return "unclear"
    near = known.unanswered and known.unanswered[0] >= ALIKE and known.unanswered[0] > max(known.answered, default=0.0)
    if near and (known.reason != "personal_advice" or names_somebody(core)):
        return cast("Reason", known.reason)
    # "And how many people?" belongs to what came before; "who won the world cup?" does not.
    leaning = topic if not features["unknown_words"] else ""
    about_health = HEALTH.search(f"{core} {leaning}") is not None
    if features["best_sentence"] < OUT_OF_DOMAIN_COSINE or not about_health:
        return "out_of_scope"
    if features["best_sentence"] < NEARBY_COSINE:
        return "nothing_found"
    return "not_in_sources"
