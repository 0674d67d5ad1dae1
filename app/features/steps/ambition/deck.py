"""The deck of work value cards: thirty cards written for Octant, five for each of the six work values.

Contents keep the keys; the words are said in the reader's language. The six values are those of the theory of work
adjustment as occupation catalogues rate them (Dawis & Lofquist 1984), so that a sorting can be laid beside an
occupation. The cards are no published instrument: a sorting is a way to think, not a measurement.
"""

from __future__ import annotations

from app.domain.saying import Say

WORK_VALUES = ("achievement", "independence", "recognition", "relationships", "support", "conditions")
# From the pile of what matters most to that of what does not.
PILES = ("very", "important", "little", "not")

_CARDS = {
    "achievement": ("results", "strengths", "learning", "challenge", "craft"),
    "independence": ("ownway", "ideas", "planning", "responsibility", "trust"),
    "recognition": ("advancement", "notice", "standing", "leading", "voice"),
    "relationships": ("helping", "colleagues", "team", "conscience", "meeting"),
    "support": ("fairness", "backing", "training", "clarity", "feedback"),
    "conditions": ("pay", "security", "variety", "balance", "surroundings"),
}
VALUE_OF = {card: value for value, cards in _CARDS.items() for card in cards}
# Dealt one of each value in turn, so that no value comes in a heap.
DECK = tuple(cards[turn] for turn in range(5) for cards in _CARDS.values())


def card_words(_: Say) -> dict[str, tuple[str, str]]:
    """Each card's title and the sentence under it."""
    return {
        "results": (_("Seeing results"), _("I can see what came of my work.")),
        "strengths": (_("Using what I am good at"), _("My work calls for what I do best.")),
        "learning": (_("Learning new things"), _("I know more at the end of a year than at its start.")),
        "challenge": (_("Hard problems"), _("I am given tasks that stretch me.")),
        "craft": (_("Doing things thoroughly"), _("I have the time to do a thing well.")),
        "ownway": (_("Doing it my own way"), _("I decide how a task is done.")),
        "ideas": (_("Trying out ideas"), _("I may try something nobody asked for.")),
        "planning": (_("Planning my own day"), _("I decide when I do what.")),
        "responsibility": (_("Carrying responsibility"), _("Something depends on me, and I answer for it.")),
        "trust": (_("Being trusted"), _("Nobody looks over my shoulder.")),
        "advancement": (_("Moving up"), _("There is a next position for those who do well.")),
        "notice": (_("Good work being noticed"), _("Somebody sees it and says so.")),
        "standing": (_("Work that people respect"), _("Others think well of what I do.")),
        "leading": (_("Leading others"), _("I guide what other people do.")),
        "voice": (_("Having a say"), _("My opinion counts when something is decided.")),
        "helping": (_("Helping others"), _("Somebody is better off because of what I do.")),
        "colleagues": (_("Friendly colleagues"), _("I like the people I work with.")),
        "team": (_("Working in a team"), _("We do it together, not each alone.")),
        "conscience": (_("Work I can stand up for"), _("I never have to do what I think is wrong.")),
        "meeting": (_("Meeting many people"), _("I talk with people I did not know before.")),
        "fairness": (_("Fair rules"), _("The same rules hold for everybody.")),
        "backing": (_("A manager who backs me"), _("My manager stands by the people of the team.")),
        "training": (_("Being taught well"), _("Somebody shows me how before I am on my own.")),
        "clarity": (_("Knowing what is expected"), _("I know what a good job looks like.")),
        "feedback": (_("Hearing how I am doing"), _("I am told early what to do better.")),
        "pay": (_("Good pay"), _("I earn well for what I do.")),
        "security": (_("A safe job"), _("I need not fear to lose it.")),
        "variety": (_("Variety"), _("No two days are the same.")),
        "balance": (_("Time for life outside work"), _("Work ends when the day ends.")),
        "surroundings": (_("A good place to work"), _("It is healthy, safe and pleasant there.")),
    }


def pile_words(_: Say) -> dict[str, str]:
    """The four piles, the weightiest first."""
    return {
        "very": _("very important"),
        "important": _("important"),
        "little": _("not so important"),
        "not": _("not important"),
    }


def work_value_words(_: Say) -> dict[str, tuple[str, str]]:
    """The six work values: a name, and what it means."""
    return {
        "achievement": (_("Achievement"), _("using my abilities, seeing results")),
        "independence": (_("Independence"), _("my own way of working")),
        "recognition": (_("Recognition"), _("moving up, being respected")),
        "relationships": (_("Relationships"), _("people, and work I can stand up for")),
        "support": (_("Support"), _("fair and helpful managers")),
        "conditions": (_("Working conditions"), _("pay, security, variety")),
    }
