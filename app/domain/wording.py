"""What an organization calls a client and a counsellor: keys it stores, and the words for them in any language.

Pages take the words from `app.infra.web.words`; mails, reports and workbooks, which are made where no request is, say
them through the speaker of their reader's language.
"""

from __future__ import annotations

from app.domain.saying import Say, later

# Key to (one, several), in the middle of a sentence.
CLIENT_WORDS = {
    "client": (later("client"), later("clients")),
    "student": (later("student"), later("students")),
    "learner": (later("learner"), later("learners")),
    "participant": (later("participant"), later("participants")),
}
COUNSELLOR_WORDS = {
    "counsellor": (later("counsellor"), later("counsellors")),
    "adviser": (later("adviser"), later("advisers")),
    "coach": (later("coach"), later("coaches")),
    "mentor": (later("mentor"), later("mentors")),
}


def people_words(client_word: str, counsellor_word: str, say: Say) -> dict[str, str]:
    """The four words as the places of a sentence name them; a key nobody knows stands for itself."""
    one, several = CLIENT_WORDS.get(client_word, (client_word, client_word))
    counsellor, counsellors = COUNSELLOR_WORDS.get(counsellor_word, (counsellor_word, counsellor_word))
    return {
        "client": say(one),
        "clients": say(several),
        "counsellor": say(counsellor),
        "counsellors": say(counsellors),
    }


def first_large(word: str) -> str:
    """The word as it begins a heading; scripts without large letters stay as they are."""
    return word[:1].upper() + word[1:]
