"""Step 1 as blocks of a report or page."""

from __future__ import annotations

from app.domain.pairs import consistency, open_pairs
from app.domain.saying import Say
from app.features.plans.rooms import Block, Content, Listing, Paragraph, Picture, Section, Surroundings, Table
from app.features.steps.ambition.deck import work_value_words
from app.features.steps.ambition.values import (
    FEWEST_COMPARED,
    answers_of,
    compared,
    rank_changes,
    ranked_values,
    value_name,
    value_profile,
)
from app.features.steps.parts import written
from app.infra.drawing.charts import Bar, bars_svg


def consistency_words(content: Content, _: Say) -> str | None:
    """How far the answers to the pairs hang together, in plain words; None where no pair was answered."""
    things, answers = compared(content), answers_of(content)
    if not answers or len(things) < FEWEST_COMPARED:
        return None
    found = consistency(things, answers)
    if found is None:
        left = len(open_pairs(things, answers))
        return _("Not known yet: pairs still to compare: %(left)s.", left=left)
    if found.circles == 0:
        return _("Your answers hang together: no three of them go round in a circle.")
    return _(
        "Circles of three in your answers (first before second, second before third, third before first): %(circles)s "
        "of at most %(most)s; answers by the toss of a coin would have about %(chance)s. Agreement with one clear "
        "order: %(zeta)s of 1.",
        circles=found.circles,
        most=found.most,
        chance=f"{found.by_chance:.1f}",
        zeta=f"{found.zeta:.2f}",
    )


def report_section(content: Content, around: Surroundings, _: Say) -> Section:
    """The ambition, the ranked values with their consistency, and what the sorted cards weigh."""
    blocks: list[Block] = []
    if content.get("statement"):
        blocks.append(Paragraph(_("My ambition"), content["statement"]))
    if content.get("why"):
        blocks.append(Paragraph(_("Why it matters to me"), content["why"]))
    models = written(content, "role_models", "name")
    if models:
        lines = tuple(": ".join(part for part in (row["name"], row["why"]) if part) for row in models)
        blocks.append(Listing(_("People I admire"), lines))
    ranked = ranked_values(content)
    if ranked:
        lines = tuple(f"{rank}. {value_name(row, _)}" for rank, row in enumerate(ranked, start=1))
        blocks.append(Listing(_("What matters most to me at work"), lines))
    if said := consistency_words(content, _):
        blocks.append(Paragraph(_("How far my answers hang together"), said))
    if picture := _weights(content, _):
        blocks += [picture, Paragraph(_("How to read the weights"), picture.alt)]
    return Section(_("Ambition"), tuple(blocks))


def _weights(content: Content, _: Say) -> Picture | None:
    """The six work values as the sorted cards weigh them; None before any can be told."""
    scores = value_profile(content)
    if all(score.score is None for score in scores.values()):
        return None
    words = work_value_words(_)
    known = sorted((s for s in scores.values() if s.score is not None), key=lambda s: -(s.score or 0))
    title = _("What my cards weigh")
    said = _(
        "Six work values, each the mean of its sorted cards from 0 (not important) to 3 (very important). The cards "
        "are for thinking (reflection only), not a measurement: they compare your values with each other and not you "
        "with other people, and how exact they are is not known."
    )
    bars = [Bar(words[s.value][0], s.score or 0, f"{s.score:.1f}") for s in known]
    return Picture(
        title,
        bars_svg(bars, title=title, description=said, limits=(0, 3)),
        said,
        (_("Work value"), _("Mean, 0 to 3"), _("Cards sorted, of 5"), _("Very important")),
        tuple(
            (
                ": ".join(words[s.value]),
                _("not known") if s.score is None else f"{s.score:.1f}",
                str(s.sorted),
                str(s.very),
            )
            for s in scores.values()
        ),
    )


def change_words(_: Say) -> dict[str, str]:
    """What became of a value's rank."""
    return {"kept": _("kept"), "up": _("up"), "down": _("down"), "new": _("new"), "gone": _("gone")}


def changes_block(before: Content, after: Content, _: Say) -> tuple[Block, ...]:
    """Rank by rank what changed between two contents; nothing where both rank the same, or one ranks nothing."""
    changes = rank_changes(before, after, _)
    if not ranked_values(before) or not ranked_values(after) or all(change.kind == "kept" for change in changes):
        return ()
    words = change_words(_)
    columns = (_("Value"), _("Change"), _("Rank before"), _("Rank after"))
    rows = tuple(
        (change.name, words[change.kind], str(change.before or "–"), str(change.after or "–")) for change in changes
    )
    return (Table(_("My values, rank by rank"), columns, rows),)
