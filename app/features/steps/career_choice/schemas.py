"""JSON of matches, and of what counsellors recommend."""

from __future__ import annotations

from marshmallow import fields

from app.features.occupations.families import FAMILIES
from app.features.occupations.schemas import OutlookSchema
from app.features.steps.career_choice.service import MOST_REASON
from app.infra.web.api.fields import Choice, QueryTruth, QueryWhole, Sentence
from app.infra.web.api.schemas import PageQuery, Strict


class MatchQuery(PageQuery):
    """Which of the matches; the filters combine."""

    family = Choice(FAMILIES, metadata={"description": "A job family: the first two digits of its codes."})
    zone = QueryWhole(least=1, most=5)
    growing = QueryTruth(metadata={"description": "`true`: only occupations with Octant's own mark of growth."})


class MatchCoverageSchema(Strict):
    """How much of the skills asked for the client brings, 0 to 1; null where nothing could be compared."""

    share = fields.Float(required=True, allow_none=True)
    compared = fields.Integer(required=True)
    asked = fields.Integer(required=True)


class MatchEducationSchema(Strict):
    """Percent of jobs that ask for at most the client's level; the level half of them ask for at most; steps to it."""

    asking_at_most = fields.Float(required=True)
    typical = fields.Integer(required=True)
    steps = fields.Integer(required=True)


class MatchSchema(Strict):
    """One ranked occupation with the columns beside it, never added up; null is not known."""

    code = fields.String(required=True)
    title = fields.String(required=True)
    family = fields.String(required=True)
    job_zone = fields.Integer(required=True, allow_none=True)
    rank = fields.Integer(required=True)
    of = fields.Integer(required=True)
    band = fields.Integer(
        required=True, allow_none=True, metadata={"description": "20 or 50: among the first so many; null beyond."}
    )
    r = fields.Float(required=True, metadata={"description": "Correlation of the six interests, -1 to 1."})
    reach = fields.Integer(required=True, metadata={"description": "How many occupations have at least this r."})
    stays = fields.List(
        fields.Float(),
        required=True,
        allow_none=True,
        metadata={"description": "Share of 500 resamples among the first 20 and 50; null without known errors."},
    )
    values_r = fields.Float(required=True, allow_none=True)
    values_rank = fields.Integer(required=True, allow_none=True)
    coverage = fields.Nested(MatchCoverageSchema, required=True, allow_none=True)
    education = fields.Nested(MatchEducationSchema, required=True, allow_none=True)
    outlook = fields.Nested(OutlookSchema, required=True, allow_none=True)
    factors = fields.Integer(required=True, metadata={"description": "Factors of step 3 that name the occupation."})


class MatchPageSchema(Strict):
    """A page of the list, and what it rests on; `why_not` says why there is no list."""

    items = fields.List(fields.Nested(MatchSchema), required=True)
    next = fields.String(required=True, allow_none=True, metadata={"description": "The cursor of the next page."})
    why_not = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "`no_catalogue`, `no_result`, `incomplete`, `flat`; null where there is a list."},
    )
    release = fields.String(required=True, allow_none=True)
    assessment = fields.UUID(required=True, allow_none=True)
    instrument = fields.String(required=True, allow_none=True)
    taken_at = fields.AwareDateTime(required=True, allow_none=True)
    credit = fields.List(fields.String(), required=True)


class MatchGapSchema(Strict):
    """A skill asked for at a higher level than the client's own, both 0 to 7."""

    name = fields.String(required=True)
    required_level = fields.Float(required=True, attribute="required")
    own = fields.Float(required=True)


class MatchBarSchema(Strict):
    """One bar of the two profiles; null is not known."""

    name = fields.String(required=True)
    person = fields.Float(required=True, allow_none=True)
    error = fields.Float(required=True, allow_none=True, metadata={"description": "Standard error of measurement."})
    occupation = fields.Float(required=True, allow_none=True, metadata={"description": "1 to 7."})


class NearMatchSchema(Strict):
    """A related occupation with its own place in the list."""

    code = fields.String(required=True)
    title = fields.String(required=True)
    tier = fields.String(required=True)
    rank = fields.Integer(required=True, allow_none=True)


class MatchReasonsSchema(Strict):
    """Why an occupation stands where it stands; `match` is null where it is not rated or there is no list."""

    code = fields.String(required=True)
    title = fields.String(required=True)
    rated = fields.Boolean(required=True)
    match = fields.Nested(MatchSchema, required=True, allow_none=True)
    interests = fields.List(fields.Nested(MatchBarSchema), required=True, allow_none=True)
    values = fields.List(fields.Nested(MatchBarSchema), required=True, allow_none=True)
    gaps = fields.List(fields.Nested(MatchGapSchema), required=True)
    near = fields.List(fields.Nested(NearMatchSchema), required=True)
    release = fields.String(required=True, allow_none=True)
    credit = fields.List(fields.String(), required=True)


class TakeSchema(Strict):
    """Which occupation to take into the shortlist."""

    code = Sentence(required=True, longest=20)


class RecommendSchema(Strict):
    """What to recommend in place of the client's choice, and why; the client reads it."""

    occupation = Sentence(required=True, longest=300, metadata={"description": "A code, a title, or own words."})
    reason = Sentence(required=True, longest=MOST_REASON)
    kind = Choice(("recommended", "decided"), load_default="recommended")


class RecommendationSchema(Strict):
    """A counsellor's word on the choice; `withdrawn_on` is null while it stands."""

    id = fields.String(required=True)
    kind = fields.String(required=True)
    name = fields.String(required=True)
    code = fields.String(required=True, allow_none=True)
    release = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True)
    by = fields.String(required=True)
    by_name = fields.String(required=True)
    on = fields.String(required=True)
    withdrawn_on = fields.String(required=True, allow_none=True)
