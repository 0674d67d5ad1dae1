"""Step 2 as blocks of a report or page."""

from __future__ import annotations

from app.domain.saying import Say
from app.features.instruments.words import band_in_words, status_sentences
from app.features.plans.rooms import Block, Content, Listing, Paragraph, Section, Surroundings, Table


def report_section(content: Content, around: Surroundings, _: Say) -> Section:
    """The latest scores of each instrument, their error bands and how far to trust them, then own words."""
    blocks: list[Block] = []
    for key, (_day, scores) in around.assessments.items():
        bands = around.bands.get(key, {})
        rows = tuple(
            (name, _("not enough answers"), "")
            if score is None
            else (name, f"{score:.1f}", band_in_words(bands.get(name), _))
            for name, score in scores
        )
        blocks.append(Table(around.instruments.get(key, key), (_("Scale"), _("Score"), _("Error band")), rows))
        if key in around.trust:
            blocks.append(Listing(_("How far it can be trusted"), status_sentences(around.trust[key], _)))
    if around.assessments:
        days = tuple((around.instruments.get(key, key), day) for key, (day, _scores) in around.assessments.items())
        blocks.append(Table(_("When they were answered"), (_("Questionnaire"), _("Answered on")), days))
        blocks.append(
            Listing(
                _("How to read the scores"),
                (
                    _("The band says where a score may lie (95 percent). Scores whose bands overlap may be equal."),
                    _("Nobody is compared with others. What each scale means stands on the result’s own page."),
                ),
            )
        )
    for name, heading in (
        ("fits", _("What fits me")),
        ("surprises", _("What surprised me")),
        ("adds", _("What I would add")),
    ):
        if content.get(name):
            blocks.append(Paragraph(heading, content[name]))
    return Section(_("Self-assessment"), tuple(blocks))
