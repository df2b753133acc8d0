"""Words as they are compared: folded, stop words left out, stemmed. Loads nothing but the stemmer."""

import re
import unicodedata

import Stemmer

_WORD = re.compile(r"[^\W_]+(?:[.,][0-9]+)*")
STOP_WORDS = frozenset(
    "a an and are as at be been being but by can could did do does for from had has have he her him his i if in "
    "into is it its me my of on or our she should so than that the their them then there these they this those to "
    "us was we were what when where which who whom why will with would you your am im ive about also any some "
    "just really very please tell get got how long".split()
)
_STEMMER = Stemmer.Stemmer("english")


def stems(text: str) -> list[str]:
    """Return the stems of the words of ``text``, stop words left out, in order.

    Case, accents and apostrophes do not count; letters of every script do, though only English words are stemmed.
    """
    folded = text.lower().replace("’", "'").replace("'", "")
    if not folded.isascii():
        folded = "".join(char for char in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(char))
    words = _WORD.findall(folded)
    return list(_STEMMER.stemWords([word for word in words if word not in STOP_WORDS]))
