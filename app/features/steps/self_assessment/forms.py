"""Step 2 as a form."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from wtforms import TextAreaField

from app.features.steps.rowforms import Part, RoomForm


class SelfAssessmentForm(RoomForm):
    """What the client makes of the results."""

    guided = (
        Part("taken", title=_("Your questionnaires"), tools=True),
        *(Part(name, (name,)) for name in ("fits", "surprises", "adds")),
    )

    fits = TextAreaField(_("What fits me"), description=_("Which results do you recognise, and from where?"))
    surprises = TextAreaField(_("What surprised me"))
    adds = TextAreaField(_("What I would add"), description=_("Strengths or likings that no questionnaire asked for."))
