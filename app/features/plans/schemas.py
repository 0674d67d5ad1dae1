"""JSON of templates, plans, steps, comments and revisions."""

from __future__ import annotations

from marshmallow import fields

from app.infra.web.api.fields import Choice, Day, Free, QueryTruth, QueryWhole, Sentence, Whole
from app.infra.web.api.schemas import PageQuery, Strict


class TemplateSchema(Strict):
    """A named recipe of the eight steps."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    description = fields.String(required=True)
    archived_at = fields.AwareDateTime(required=True, allow_none=True)
    created_at = fields.AwareDateTime(required=True)


class TemplateQuery(PageQuery):
    """Which templates."""

    archived = QueryTruth(load_default=False)


class NewTemplateSchema(Strict):
    """A new template; without content its draft is the eight steps in Octant's words."""

    name = Sentence(longest=120, required=True)
    description = Sentence(longest=2000, shortest=0, load_default="")
    content = Free(load_default=None, allow_none=True)


class DraftSchema(Strict):
    """A template's draft as typed."""

    name = Sentence(longest=120, required=True)
    description = Sentence(longest=2000, shortest=0, load_default="")
    content = Free(required=True)


class TemplateVersionSchema(Strict):
    """One version of a template, without its content."""

    version = fields.Integer(required=True)
    state = fields.String(required=True)
    checksum = fields.String(required=True)
    created_at = fields.AwareDateTime(required=True)
    published_at = fields.AwareDateTime(required=True, allow_none=True)


class TemplateContentSchema(TemplateVersionSchema):
    """One version of a template, whole."""

    content = fields.Dict(required=True)


class StepSchema(Strict):
    """Where one step stands."""

    step = fields.Integer(required=True)
    status = fields.String(required=True)
    due_on = fields.Date(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)
    stale = fields.Boolean(required=True)
    changed_at = fields.AwareDateTime(required=True, allow_none=True)


class PlanSchema(Strict):
    """A client's plan, without its steps."""

    id = fields.UUID(required=True)
    client_id = fields.UUID(required=True)
    template_id = fields.UUID(required=True)
    template_version = fields.Integer(required=True)
    status = fields.String(required=True)
    started_on = fields.Date(required=True)
    revision = fields.Integer(required=True)
    next_review_on = fields.Date(required=True, allow_none=True)
    created_at = fields.AwareDateTime(required=True)
    updated_at = fields.AwareDateTime(required=True)


class WholePlanSchema(PlanSchema):
    """A client's plan with its eight steps in order."""

    steps = fields.List(fields.Nested(StepSchema), required=True)


class PlanQuery(PageQuery):
    """Which plans."""

    client = fields.UUID()
    cohort = fields.UUID()
    status = Choice(("active", "archived"))


class CommentSchema(Strict):
    """A remark in a step's thread."""

    id = fields.UUID(required=True)
    author_id = fields.UUID(required=True)
    body = fields.String(required=True)
    created_at = fields.AwareDateTime(required=True)


class NewCommentSchema(Strict):
    """A remark to add."""

    body = Sentence(longest=10_000, required=True)


class DueDateSchema(Strict):
    """A step's new due day; null takes it away."""

    due_on = Day(required=True, allow_none=True)


class EventSchema(Strict):
    """One line of a plan's history; later lines have higher numbers."""

    number = fields.Integer(required=True)
    step = fields.Integer(required=True, allow_none=True)
    kind = fields.String(required=True)
    actor_id = fields.UUID(required=True, allow_none=True)
    actor_kind = fields.String(required=True)
    detail = fields.Dict(required=True)
    at = fields.AwareDateTime(required=True)


class CopySchema(Strict):
    """The name of a copy of a template."""

    name = Sentence(longest=120, required=True)


class TemplateFileSchema(Strict):
    """A template as a file: its recipe with a checksum over all of it (SHA-256 of the canonical JSON of the rest)."""

    format = fields.String(required=True)
    format_version = fields.Integer(required=True)
    name = fields.String(required=True)
    description = fields.String(required=True)
    version = fields.Integer(required=True)
    content = fields.Dict(required=True)
    checksum = fields.String(required=True)


class TakeFileSchema(Strict):
    """A template's file to take, and another name for it here."""

    file = Free(required=True)
    name = Sentence(longest=120, shortest=0, load_default="")


class LackingSchema(Strict):
    """Something the recipe names and the organization does not have."""

    field = fields.String(required=True)
    sentence = fields.String(required=True)


class TakenTemplateSchema(TemplateSchema):
    """The template a file became, and what it names that is missing here."""

    lacking = fields.List(fields.Nested(LackingSchema), required=True)


class NextYearSchema(Strict):
    """What a copy for next year would begin from: a name, and the guessed term for each named one (null: no guess)."""

    name = fields.String(required=True)
    terms = fields.Dict(keys=fields.String(), values=fields.String(allow_none=True), required=True)
    choices = fields.List(fields.String(), required=True, metadata={"description": "Names of all terms."})


class NewNextYearSchema(Strict):
    """A copy for next year: its name, and for each term the recipe names the one that follows it."""

    name = Sentence(longest=120, required=True)
    terms = Free(load_default=dict, metadata={"description": "Term named in the recipe: term of next year."})


class CloseRevisionSchema(Strict):
    """Which revision ends, and why; the reason is kept with it."""

    revision = Whole(
        least=1, required=True, metadata={"description": "The open one; naming one that is closed changes nothing."}
    )
    reason = Sentence(longest=2000, required=True)


class RevisionSchema(Strict):
    """A frozen revision, without its snapshot."""

    revision = fields.Integer(required=True)
    checksum = fields.String(required=True)
    reason = fields.String(required=True)
    frozen_by = fields.UUID(required=True, allow_none=True)
    frozen_at = fields.AwareDateTime(required=True)


class SnapshotSchema(Strict):
    """A plan whole, as one revision holds it; of a closed one the checksum is that it was closed with, checked anew."""

    snapshot = fields.Dict(required=True)
    checksum = fields.String(required=True, metadata={"description": "SHA-256 of the snapshot's canonical JSON."})


class FieldChangeSchema(Strict):
    """A field that differs: where it is, rows by their ids, and its value in each (null: not there)."""

    path = fields.List(fields.String(), required=True)
    before = fields.Raw(required=True, allow_none=True)
    after = fields.Raw(required=True, allow_none=True)


class CompareQuery(Strict):
    """Two revisions; either may be the open one."""

    before = QueryWhole(least=1, required=True)
    after = QueryWhole(least=1, required=True)


class StepDifferenceSchema(Strict):
    """One step that differs between two revisions, as each holds it."""

    step = fields.String(required=True)
    content_changed = fields.Boolean(required=True)
    fields_changed = fields.List(fields.Nested(FieldChangeSchema), required=True, attribute="fields")
    before = fields.Dict(required=True)
    after = fields.Dict(required=True)


class StepMarkSchema(Strict):
    """An aspect that changed since the step built on it: what it was built on and what it is now, as plain JSON."""

    aspect = fields.String(required=True)
    before = fields.Raw(required=True, allow_none=True)
    after = fields.Raw(required=True, allow_none=True)
    changed_at = fields.AwareDateTime(required=True)


class StaleStepSchema(Strict):
    """A step with open marks; `seen` is what confirming it names."""

    step = fields.Integer(required=True)
    status = fields.String(required=True)
    seen = fields.String(required=True)
    marks = fields.List(fields.Nested(StepMarkSchema), required=True)


class MapLineSchema(Strict):
    """An aspect, the step that says it (null: none), what it rests on, and the steps a change of it marks."""

    aspect = fields.String(required=True)
    step = fields.Integer(required=True, allow_none=True)
    rests_on = fields.List(fields.String(), required=True)
    marks = fields.List(fields.Integer(), required=True)


class OrphanSchema(Strict):
    """A row of a step (null: the step itself) that points at the id `lost`, which is gone."""

    step = fields.Integer(required=True)
    what = fields.String(required=True)
    id = fields.String(required=True, allow_none=True)
    text = fields.String(required=True)
    lost = fields.String(required=True)


class StalenessSchema(Strict):
    """Which steps rest on something that changed, the map behind it, and what points at nothing."""

    stale = fields.List(fields.Nested(StaleStepSchema), required=True)
    map = fields.List(fields.Nested(MapLineSchema), required=True)
    orphans = fields.List(fields.Nested(OrphanSchema), required=True)


class ConfirmSchema(Strict):
    """Which marks were read: `seen` as the staleness of the plan gives it."""

    seen = Sentence(longest=64, required=True)


class ConfirmedSchema(Strict):
    """The aspects that were looked at; empty when nothing was marked."""

    aspects = fields.List(fields.String(), required=True)
