"""What can be done with chosen people: the page that previews each act, and what one may need to do it."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import lazy_gettext

from app.domain.access import Actor, Permission


@dataclass(frozen=True, slots=True)
class Act:
    """One act; its page takes the people as `?selection=`."""

    name: str
    label: str
    endpoint: str
    permission: Permission


# The endpoints are named, because what they belong to stands above. Features with another act put it here.
ACTS: tuple[Act, ...] = (
    Act("assign", lazy_gettext("Assign"), "assignments.new", Permission.ASSIGN),
    Act("prompt", lazy_gettext("Prompt a review"), "reviews.prompt", Permission.WORK_PLANS),
    Act("move", lazy_gettext("Hand over"), "moves.new", Permission.MANAGE_PEOPLE),
    Act("edit", lazy_gettext("Change many"), "edits.new", Permission.WORK_PLANS),
    Act("report", lazy_gettext("Reports"), "reports.selected", Permission.REPORT_CLIENTS),
)


def acts_of(actor: Actor) -> list[Act]:
    """The acts this actor may do, in the order pages show them."""
    return [act for act in ACTS if actor.may(act.permission)]
