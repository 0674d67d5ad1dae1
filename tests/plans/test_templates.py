"""Templates: drafts, published versions that never change, copies."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.domain.access import Role
from app.domain.errors import Conflict, Forbidden, InvalidInput
from app.domain.steps import StepKey
from app.domain.template_content import difference, parse_content
from app.features.plans import templates
from app.features.plans.commands import SaveDraft
from app.features.plans.default_template import default_content
from tests.factories import World


@pytest.fixture
def admin(world: World):
    return world.person(world.organization(), Role.ADMIN)


def test_the_default_template_has_eight_steps_in_both_languages(world: World, admin) -> None:
    with world.runtime.database.unit_of_work(admin.actor) as uow:
        for language, word in (("en", "working life"), ("zh_Hans_CN", "职业生涯")):
            template = templates.create_default_template(uow, language=language)
            version = templates.versions_of(uow, template.id)[0]
            content = parse_content(version.content)
            assert version.state == "published"
            assert all(content.step(key).enabled and content.step(key).due for key in StepKey)
            assert word in content.step(StepKey.AMBITION).guidance


def test_editing_a_published_template_makes_a_draft_and_leaves_the_old_version(world: World, admin) -> None:
    with world.runtime.database.unit_of_work(admin.actor) as uow:
        template = templates.create_default_template(uow)
        first = templates.find_version(uow, template.id, 1)
        changed = default_content("en")
        changed["steps"]["goals"]["guidance"] = "Set three goals."
        over = first.checksum
        draft = templates.save_draft(
            uow, SaveDraft(template_id=template.id, name=template.name, description="", content=changed, over=over)
        )
        assert (draft.version, draft.state) == (2, "draft")
        assert [c.place for c in difference(*templates.recipes_of(uow, template.id, 1, 2))] == ["steps.goals.guidance"]
        with pytest.raises(Conflict, match="Somebody else"):
            templates.save_draft(
                uow, SaveDraft(template_id=template.id, name="x", description="", content=changed, over=over)
            )
        assert templates.publish_template(uow, template.id).version == 2
        with pytest.raises(Conflict, match="no draft"):
            templates.publish_template(uow, template.id)
        listed = templates.list_templates(uow)
        assert [(row.published, row.draft) for row in listed] == [(2, None)]


@pytest.mark.parametrize("statement", ["UPDATE template_versions SET checksum = 'x'", "DELETE FROM template_versions"])
def test_the_database_refuses_to_change_a_published_version(world: World, admin, statement: str) -> None:
    with world.runtime.database.unit_of_work(admin.actor) as uow:
        templates.create_default_template(uow)
    with (
        pytest.raises(DBAPIError, match="A published template version never changes"),
        world.runtime.database.unit_of_work(admin.actor) as uow,
    ):
        uow.session.execute(text(statement))


def test_a_template_without_steps_is_refused_in_words(world: World, admin) -> None:
    off = {"steps": {key.value: {"enabled": False} for key in StepKey}}
    with world.runtime.database.unit_of_work(admin.actor) as uow:
        for content in ({}, {"steps": {}}, off):
            with pytest.raises(InvalidInput, match="This template has no steps"):
                templates.create_template(uow, name="Empty", content=content)


def test_copies_names_archive_and_discard(world: World, admin) -> None:
    with world.runtime.database.unit_of_work(admin.actor) as uow:
        template = templates.create_default_template(uow)
        copy = templates.duplicate_template(uow, template.id, "A copy")
        assert templates.versions_of(uow, copy.id)[0].state == "draft"
        with pytest.raises(InvalidInput, match="already"):
            templates.duplicate_template(uow, template.id, "A copy")
        with pytest.raises(Conflict, match="Archive"):
            templates.discard_draft(uow, copy.id)
        templates.archive_template(uow, copy.id)
        assert [row.template.id for row in templates.list_templates(uow)] == [template.id]
        assert [row.template.id for row in templates.list_templates(uow, archived=True)] == [copy.id]
        with pytest.raises(Conflict, match="archived"):
            templates.publish_template(uow, copy.id)
        templates.archive_template(uow, copy.id, archive=False)
        assert len(templates.list_templates(uow)) == 2


def test_counsellors_use_templates_but_do_not_change_them(world: World, admin) -> None:
    counsellor = world.person(admin.actor.organization_id, Role.COUNSELLOR)
    with world.runtime.database.unit_of_work(counsellor.actor) as uow:
        with pytest.raises(Forbidden):
            templates.create_template(uow, name="Mine")
        assert templates.list_templates(uow) == []
