"""The two organizations of the demonstration and the people who work in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import text

from app.domain import access
from app.domain.access import Actor, Role
from app.features.identity.passwords import hash_password
from app.features.identity.service import find_or_create_user
from app.features.organizations.commands import ChangeSettings, SaveTerm
from app.features.organizations.service import add_member, create_organization, find_actor
from app.features.organizations.settings import change_settings, save_term, terms_of
from app.infra.db.open import UnitOfWork
from app.infra.runtime import Runtime


@dataclass(frozen=True, slots=True)
class DemoMember:
    """Someone who signs in: role, name and the e-mail that is their sign-in."""

    role: Role
    name: str
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPlace:
    """One organization as it is made."""

    slug: str
    name: str
    time_zone: str
    locale: str
    client_word: str
    counsellor_word: str
    accent: str
    # Name, first and last day as (month, day); they come back every year.
    terms: tuple[tuple[str, tuple[int, int], tuple[int, int]], ...]
    members: tuple[DemoMember, ...]


_ADA = DemoMember(Role.ADMIN, "Ada Lindqvist", "admin@harbour.example.org")

HARBOUR = DemoPlace(
    slug="harbour",
    name="Harbour University Careers",
    time_zone="Europe/Dublin",
    locale="en",
    client_word="student",
    counsellor_word="adviser",
    accent="#1f5fa8",
    terms=(("Spring", (1, 12), (5, 22)), ("Autumn", (9, 7), (12, 18))),
    members=(
        _ADA,
        DemoMember(Role.COUNSELLOR, "Niamh Brennan", "niamh@harbour.example.org"),
        DemoMember(Role.COUNSELLOR, "Samuel Okonjo", "samuel@harbour.example.org"),
        DemoMember(Role.COUNSELLOR, "Leila Haddad", "leila@harbour.example.org"),
        DemoMember(Role.ANALYST, "Tomás Ferreira", "analyst@harbour.example.org"),
    ),
)
# Another time zone and another language; its administrator is a member of both, which shows the switch.
PUJIANG = DemoPlace(
    slug="pujiang",
    name="浦江学院职业发展中心",
    time_zone="Asia/Shanghai",
    locale="zh_Hans_CN",
    client_word="student",
    counsellor_word="adviser",
    accent="#8a2f4f",
    terms=(("春季学期", (2, 20), (7, 5)), ("秋季学期", (9, 1), (12, 31))),
    members=(
        DemoMember(Role.ADMIN, "沈知远", "admin@pujiang.example.org"),
        DemoMember(Role.COUNSELLOR, "顾雨晴", "counsellor@pujiang.example.org"),
        _ADA,
    ),
)


def make_place(runtime: Runtime, place: DemoPlace, password: str) -> UUID:
    """Make an organization with its members, or what is missing of it; returns its id."""
    with runtime.database.directory_session() as session:
        organization_id: UUID | None = session.execute(
            text("SELECT id FROM tenants WHERE slug = :slug"), {"slug": place.slug}
        ).scalar_one_or_none()
    if organization_id is None:
        organization_id = create_organization(
            runtime, slug=place.slug, name=place.name, time_zone=place.time_zone, locale=place.locale
        )
    with runtime.database.unit_of_work(access.system(organization_id)) as uow:
        _settle(uow, place)
    for member in place.members:
        add_sign_in(runtime, organization_id, member, password)
    return organization_id


def _settle(uow: UnitOfWork, place: DemoPlace) -> None:
    """Settings, and the terms of this year and the next."""
    change_settings(
        uow,
        ChangeSettings(
            name=place.name,
            time_zone=place.time_zone,
            locale=place.locale,
            client_word=place.client_word,
            counsellor_word=place.counsellor_word,
            accent=place.accent,
            shares_caseloads=False,
            small_cell_threshold=10,
            contact_cap=2,
            reports_kept_days=30,
        ),
    )
    known = {term.name: term.id for term in terms_of(uow)}
    for year in (uow.now.year, uow.now.year + 1):
        for name, first, last in place.terms:
            save_term(
                uow,
                SaveTerm(
                    name=f"{name} {year}",
                    starts_on=date(year, *first),
                    ends_on=date(year, *last),
                    term_id=known.get(f"{name} {year}"),
                ),
            )


def add_sign_in(runtime: Runtime, organization_id: UUID, member: DemoMember, password: str) -> UUID:
    """Make a user with the demonstration's password a member; harmless to repeat. Returns the membership's id."""
    with runtime.database.identity_session() as session:
        user = find_or_create_user(session, member.email, member.name)
        if user.password_hash is None:
            user.password_hash = hash_password(password)
        user_id = user.id
    with runtime.database.unit_of_work(access.system(organization_id)) as uow:
        return add_member(uow, user_id=user_id, role=member.role, name=member.name, email=member.email).id


def actor_of(runtime: Runtime, organization_id: UUID, email: str) -> Actor:
    """The actor that a member of the demonstration is in an organization."""
    with runtime.database.identity_session() as session:
        user_id = find_or_create_user(session, email, email).id
    found = find_actor(runtime, organization_id, user_id)
    if found is None:
        raise LookupError(f"{email} is no member of the organization.")
    return found[0]
