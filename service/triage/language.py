"""Which language a text is in, since only English is screened.

A text counts as English unless there is clear evidence of another language: short, slangy and misspelt
English must be screened rather than sent away. The identifier of py3langid takes seconds to load, so
it is loaded only when the common words of the text settle nothing; a service loads it while it starts. A short word
that two languages share ("i", "me", "am") settles nothing.
"""

import re
import threading
import unicodedata
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

_WORD = re.compile(r"[^\W\d_]+")
_ENGLISH = frozenset(
    "the and you for with not are was that this have has had from they what when how why which can cant could "
    "should would will wont dont doesnt didnt isnt im ive id its hes shes my your his her our their me i it "
    "is of to in on at by be been but or if so do does did get got going since after before about because "
    "there then than just only out up down no yes some any all while still now today yesterday morning night "
    "week weeks days day month months year years pain painful back hurt hurts hurting ache aches aching sore "
    "numb numbness leg legs foot feet spine spasm spasms neck hip weak weakness tingling fever pee wee peeing "
    "weeing poo bladder bowel bum groin stretch stretches exercise exercises sleep bed chair heat ice "
    "painkillers sciatica disc disk slipped pulled muscle muscles lower upper doctor help please wot bak bk "
    "cos coz gonna wanna really very bad worse better mum dad husband wife son daughter baby pregnant sitting "
    "standing lifting walking walk sit stand lift cause causes symptoms signs treatment cancer kidney stone "
    "stones stomach belly chest breathe blood sick feel feeling cannot took tablets pills want die kill "
    "myself cramp cramps knee ankle toes toe hot cold am were we he she us him them who where an as".split()
)
_OTHERS = {
    "es": frozenset(
        "el la los las una del que por para con mi mis tengo duele dolor espalda desde hace muy pero cuando "
        "puedo como qué cómo está estoy siento pierna piernas ayer hoy fiebre orinar también más porque sin y "
        "un es ha ser dolores baja hasta cuánto nada debo hacer".split()
    ),
    "de": frozenset(
        "der das und ich nicht ist mein meine mir mich seit habe hat mit auf bei ein eine einen kann wenn "
        "aber wie was für rücken rückenschmerzen schmerzen schmerz weh tut kreuz bein beine heute gestern "
        "fieber auch sehr zu im von den dem wird sind wir warum welche gegen nach wasserlassen "
        "bandscheibenvorfall hexenschuss taub".split()
    ),
    "fr": frozenset(
        "le la les une des du je j ai mal au aux dos mon ma mes depuis est pas ne que qui pour avec dans sur "
        "et très mais quand peux peut comment jambe jambes hier fièvre douleur douleurs suis plus sans ce "
        "cette il elle nous vous faire lombaire sciatique un d l c s n qu uriner".split()
    ),
}
_FOREIGN_ALONE = frozenset("ñ¿¡ß")
_ENOUGH_SHARE = 0.3
_MARGIN_A_LETTER, _CLEAR_A_LETTER = 0.35, 1.0
_FEWEST_WORDS = 2

_UNCHECKED = {
    "en": "This question could not be checked for warning signs, because only English is checked. "
    "If it may be an emergency, call your local emergency number (112, 911, 999) now.",
    "es": "No se pudo comprobar si esta pregunta contiene señales de alarma, porque solo se comprueba el inglés. "
    "Si puede ser una emergencia, llame ahora a su número local de emergencias (112, 911, 999).",
    "de": "Diese Frage konnte nicht auf Warnzeichen geprüft werden, weil nur Englisch geprüft wird. "
    "Wenn es ein Notfall sein kann, rufen Sie jetzt Ihre örtliche Notrufnummer an (112, 911, 999).",
    "fr": "Cette question n'a pas pu être vérifiée pour les signes d'alerte, car seul l'anglais est vérifié. "
    "Si c'est peut-être une urgence, appelez maintenant votre numéro d'urgence local (112, 911, 999).",
}


def is_screened(text: str) -> tuple[bool, str]:
    """Say whether a text is in a language that is screened, and in which one it seems to be.

    Args:
        text: What the person wrote.

    Returns:
        ``(True, "en")`` for English and for anything that is not clearly something else; otherwise
        False and the code of the language (ISO 639-1 where there is one).
    """
    folded = text.casefold().replace("’", "'")
    words = _WORD.findall(folded.replace("'", " "))
    letters = sum(len(word) for word in words)
    if letters < 2:
        return True, "en"
    if _mostly_other_script(words):
        return False, _identify(text)[0]
    english = sum(word in _ENGLISH for word in words) / len(words)
    other, share = max(
        ((code, _share(words, known, elided="'" in folded)) for code, known in _OTHERS.items()),
        key=lambda pair: pair[1],
    )
    if english >= max(share, _ENOUGH_SHARE):
        return True, "en"
    if share >= _ENOUGH_SHARE and share > 2 * english and len(words) > 1:
        return False, other
    language, margin = _identify(text)
    if language == "en" or len(words) < _FEWEST_WORDS:
        return True, "en"
    if margin > _CLEAR_A_LETTER * letters:
        return False, language
    if english > _ENOUGH_SHARE / 2 or not _sure(text, words, letters, margin):
        return True, "en"
    return False, language


class Warming:
    """Loads the identifier, and does other work, beside a service that starts, so that no person waits for it.

    Args:
        other: Work that the first question would have to wait for otherwise.
    """

    def __init__(self, *other: Callable[[], object]) -> None:
        self._work: tuple[Callable[[], object], ...] = (*other, _identifier)
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Load in a thread of its own; at once over when it is loaded already."""
        self._thread = threading.Thread(target=self._run, name="warming", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Wait until it is loaded."""
        if self._thread is not None:
            self._thread.join(timeout=10)

    def _run(self) -> None:
        for work in self._work:
            work()


def unchecked_text(language: str) -> str:
    """The sentence that says that nothing was checked, in the person's language where we have it."""
    return _UNCHECKED.get(language, _UNCHECKED["en"])


def _share(words: Sequence[str], known: frozenset[str], *, elided: bool) -> float:
    """The share of common words; a letter alone is one only where an apostrophe may have cut it off."""
    return sum(word in known for word in words if elided or len(word) > 1) / len(words)


def _mostly_other_script(words: Sequence[str]) -> bool:
    """Whether most letters are not Latin ones: no English there, however short."""
    text = "".join(words)
    latin = sum(letter.isascii() or unicodedata.name(letter, "").startswith("LATIN") for letter in text)
    return latin * 2 < len(text)


def _sure(text: str, words: Sequence[str], letters: int, margin: float) -> bool:
    """Evidence enough against English: a marked letter, or a wide margin over several words."""
    if not _FOREIGN_ALONE.isdisjoint(text.casefold()):
        return True
    return len(words) >= 3 and margin > _MARGIN_A_LETTER * letters


def _identify(text: str) -> tuple[str, float]:
    """The likeliest language and how far English lies behind it, in log probability."""
    ranked = _identifier().rank(text)
    scores = dict(ranked)
    best, score = ranked[0]
    return str(best), float(score - scores["en"])


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE)
