"""Texts that properties must hold for: any Unicode, and texts that look like what people write."""

from hypothesis import strategies as st

_PIECES = st.sampled_from(
    [
        *("Rest", "back", "pain", "Dr.", "e.g.", "No. 5", "3.5 mg", "a.m.", "U.S.", "J.", "et al.", "1 to 2 days."),
        *(
            ".",
            "!",
            "?!",
            "…",
            "...",
            ". . .",
            ":",
            ";",
            ",",
            "(",
            ")",
            "[1]",
            "“",
            "”",
            '"',
            "'",
            "*",
            "_",
            "|",
            " | ",
        ),
        *(
            " ",
            " ",
            " ",
            "\n",
            "\n",
            "\n\n",
            "\n- ",
            "\n1. ",
            "\n• ",
            "\t",
            "\u00a0",
            "\u3000",
            "\u2028",
            "\r\n",
            "\x0b",
        ),
        *(
            "e\u0301",
            "\u0301",
            "👩\u200d⚕️",
            "👍🏽",
            "🇩🇪",
            "😀",
            "שלום",
            "مرحبا؟",
            "腰が痛い。",
            "\x00",
            "\u200b",
            "\u202e",
        ),
        *("https://example.org/a?b=c.", "x" * 130, "y" * 400, "ﬁ", "İ", "ß", "\U0010ffff", "\ufeff", "\u00ad"),
    ]
)

any_text = st.text(st.characters(codec="utf-8"), max_size=120)
written_text = st.lists(_PIECES, max_size=60).map("".join)
texts = st.one_of(any_text, written_text)
