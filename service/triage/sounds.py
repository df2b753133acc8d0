"""How a word sounds, roughly, so that words spelt by ear find the word that was meant.

English spelling is folded to a short code: consonants that sound alike become one letter, silent letters
go, and vowels fall into three broad groups. Two words with one code are alike to the ear ("nife" and
"knife", "brething" and "breathing"). One pass of fixed replacements a word, so long words cost their length.
"""

_VOWELS = frozenset("aeiouy")
_SOFTENING = frozenset("eiy")
_OPENINGS = (
    ("kn", "n"), ("gn", "n"), ("wr", "r"), ("ps", "s"), ("pn", "n"), ("wh", "w"), ("rh", "r"), ("sch", "sk"),
)  # fmt: skip
_ENDINGS = (
    ("mb", "m"), ("mbs", "ms"), ("mn", "m"), ("gue", "g"), ("que", "k"), ("scle", "sl"), ("scles", "sls"),
    ("cht", "Cd"), ("ckt", "kd"), ("kt", "kd"), ("pt", "pd"), ("sht", "Sd"), ("pst", "psd"),
    ("ness", "nIs"), ("nes", "nIs"), ("nis", "nIs"), ("ings", "in"), ("ing", "in"), ("in", "in"),
)  # fmt: skip
_GROUPS = (
    ("tion", "Sn"), ("sion", "Sn"), ("cian", "Sn"), ("shun", "Sn"), ("tious", "Ss"), ("cious", "Ss"), ("ture", "CR"),
    ("eigh", "A"), ("aigh", "A"), ("igh", "I"), ("augh", "O"), ("ough", "O"), ("stl", "sl"),
    ("tch", "C"), ("sch", "sk"), ("ch", "C"), ("sh", "S"), ("ph", "f"), ("th", "T"), ("ck", "k"), ("qu", "kw"),
    ("dg", "g"), ("lk", "k"), ("lf", "f"), ("lm", "m"), ("wh", "w"), ("gh", ""), ("x", "ks"), ("z", "s"),
    ("c", "k"), ("q", "k"), ("j", "g"), ("ew", "O"), ("ui", "O"),
    ("wor", "wO"), ("wa", "wO"), ("ear", "R"), ("eer", "R"), ("ier", "R"), ("our", "R"),
    ("er", "R"), ("ir", "R"), ("ur", "R"), ("yr", "R"), ("or", "O"), ("ar", "A"), ("aw", "O"), ("au", "O"), ("ow", "O"),
    ("ou", "O"), ("oo", "O"), ("oa", "O"), ("oe", "O"), ("o", "O"), ("u", "O"), ("ai", "A"), ("ay", "A"), ("ei", "A"),
    ("ey", "A"), ("ae", "A"), ("a", "A"), ("ea", "I"), ("ee", "I"), ("ie", "I"), ("i", "I"), ("y", "I"), ("e", "I"),
)  # fmt: skip
_ALTERNATES = (
    ("ch", "k"),
    ("ei", "ee"),
    ("ea", "ai"),
    ("oul", "ol"),
    ("y", "ee"),
    ("augh", "af"),
    ("ough", "of"),
    ("ough", "uf"),
    ("wa", "wa"),
    ("ow", "ou"),
    ("ear", "are"),
)
_LONGEST = 24


def sounds_of(word: str) -> tuple[str, ...]:
    """Return the codes of a word of the rules: one, or more where its spelling can be read in several ways."""
    codes = [sound_of(word)]
    for spelling, other in _ALTERNATES:
        if spelling in word:
            codes.append(sound_of(word.replace(spelling, other)))
    return tuple(dict.fromkeys(code for code in codes if code))


def sound_of(word: str) -> str:
    """Return the code of a written word in small letters; "" for a word too long to be one."""
    if len(word) > _LONGEST:
        return ""
    word = _single(word)
    word = _replace_opening(word)
    word = _replace_ending(word)
    code = []
    at = 0
    while at < len(word):
        if word[at] == "c" and word[at + 1 : at + 2] in _SOFTENING:
            code.append("s")
            at += 1
            continue
        for spelling, sound in _BY_LETTER.get(word[at], ()):
            if word.startswith(spelling, at):
                code.append(sound)
                at += len(spelling)
                break
        else:
            if word[at] != "h" or at == 0:
                code.append(word[at])
            at += 1
    return _tidy("".join(code))


def _single(word: str) -> str:
    """Double letters become one; "cc" before a soft vowel keeps its two sounds."""
    kept: list[str] = []
    for place, letter in enumerate(word):
        if kept and kept[-1] == letter and letter not in _VOWELS:
            continue
        kept.append(letter)
        if place > _LONGEST:
            break
    return "".join(kept)


def _replace_opening(word: str) -> str:
    for spelling, sound in _OPENINGS:
        if word.startswith(spelling) and len(word) > len(spelling) + 1:
            return sound + word[len(spelling) :]
    return word


def _replace_ending(word: str) -> str:
    for spelling, sound in _ENDINGS_LONGEST_FIRST:
        if word.endswith(spelling) and len(word) > len(spelling) + 1:
            stem = word[: -len(spelling)]
            if sound == "in" and stem[-1:] == "e" and len(stem) > 2:
                stem = stem[:-1]
            return stem + sound
    stem = word[:-2]
    if word.endswith("ed") and len(stem) > 2 and stem[-1] not in "td" and not _VOWELS.isdisjoint(stem):
        return stem.removesuffix("e") + "d"
    if word.endswith("ce"):
        return stem + "s"
    if word.endswith(("le", "el", "al", "il")) and len(word) > 4 and word[-3] not in _VOWELS:
        return word[:-2] + "l"
    if word.endswith(("les", "els", "als")) and len(word) > 5 and word[-4] not in _VOWELS:
        return word[:-3] + "ls"
    if word.endswith("re") and len(word) > 4 and word[-3] not in _VOWELS:
        return word[:-2] + "er"
    if word.endswith("e") and len(word) > 3 and word[-2] not in _VOWELS:
        return word[:-1]
    if word.endswith("a") and len(word) > 4:
        return word[:-1] + "er"
    return word


def _tidy(code: str) -> str:
    """Neighbouring equal sounds become one."""
    kept: list[str] = []
    for letter in code:
        if not kept or kept[-1] != letter:
            kept.append(letter)
    return "".join(kept)


_ENDINGS_LONGEST_FIRST = tuple(sorted(_ENDINGS, key=lambda pair: -len(pair[0])))
_BY_LETTER: dict[str, list[tuple[str, str]]] = {}
for _spelling, _sound in sorted(_GROUPS, key=lambda pair: -len(pair[0])):
    _BY_LETTER.setdefault(_spelling[0], []).append((_spelling, _sound))
