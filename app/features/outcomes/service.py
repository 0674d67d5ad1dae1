"""Use cases of outcomes: when somebody graduated, and what became of them. What was known stays in the history."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select, update

from app.domain.access import Permission
from app.domain.errors import Conflict, FieldProblem, Forbidden, InvalidInput, NotFound
from app.domain.outcomes import FIRST_CLASS, LAST_CLASS, Destination, class_of, problems_of
from app.domain.reading import check_day
from app.domain.saying import later
from app.features.audit.service import record
from app.features.clients.queries import get_client
from app.features.occupations.queries import all_facts
from app.features.occupations.releases import current_release
from app.features.organizations.queries import today_here
from app.features.outcomes.commands import RecordOutcome, SetGraduation
from app.features.outcomes.models import Graduation, Outcome
from app.infra.db.open import UnitOfWork


def set_graduation(uow: UnitOfWork, command: SetGraduation) -> Graduation:
    """Keep the day of a graduation; where its class changes, what is known of it goes along.

    Raises NotFound for a client the actor may not see or a graduation there is none of, Conflict where they already
    graduated with the class of that day, Forbidden, and InvalidInput naming `graduated_on`.
    """
    _may_record(uow)
    client = get_client(uow, command.client_id)
    if problems := check_day("graduated_on", command.graduated_on):
        raise InvalidInput(problems)
    year = class_of(command.graduated_on)
    was = command.class_year
    if was is None or was != year:
        # Two who set it at the same moment wait for each other.
        uow.session.refresh(client, with_for_update=True)
    known = _graduation(uow, client.id, year)
    if was is None or (was == year and known is not None):
        if known is None:
            known = Graduation(client_id=client.id, class_year=year, graduated_on=command.graduated_on)
            known.created_by, known.created_at = uow.actor.membership_id, uow.now
            uow.session.add(known)
        known.graduated_on = command.graduated_on
        uow.session.flush()
    else:
        known = _moved(uow, client.id, was, command)
    record(uow, "graduation.set", "client", client.id, class_year=year, **({"was": was} if was else {}))
    return known


def _moved(uow: UnitOfWork, client_id: UUID, was: int, command: SetGraduation) -> Graduation:
    year = class_of(command.graduated_on)
    if _graduation(uow, client_id, was) is None:
        raise NotFound("There is no such graduation.")
    if _graduation(uow, client_id, year) is not None:
        raise Conflict("This person already graduated with the class of that day.")
    uow.session.execute(
        update(Graduation)
        .where(Graduation.client_id == client_id, Graduation.class_year == was)
        .values(class_year=year, graduated_on=command.graduated_on),
        execution_options={"synchronize_session": False},
    )
    uow.session.expire_all()
    return find_graduation(uow, client_id, year)


def remove_graduation(uow: UnitOfWork, client_id: UUID, class_year: int) -> None:
    """Take away a graduation that was recorded by mistake.

    Raises NotFound, Forbidden, and Conflict while something is known of it that was not withdrawn.
    """
    _may_record(uow)
    client = get_client(uow, client_id)
    found = find_graduation(uow, client.id, class_year, lock=True)
    holds = select(Outcome.id).where(
        Outcome.client_id == client.id, Outcome.class_year == class_year, Outcome.withdrawn_at.is_(None)
    )
    if uow.session.scalars(holds.limit(1)).one_or_none() is not None:
        raise Conflict("Something is known of this graduation. Withdraw it first.")
    uow.session.delete(found)
    uow.session.flush()
    record(uow, "graduation.removed", "client", client.id, class_year=class_year)


def record_outcome(uow: UnitOfWork, command: RecordOutcome) -> Outcome:
    """Keep what became of a client; what was known before stays in the history.

    Raises NotFound for a client the actor may not see or who did not graduate with the class, Forbidden, and
    InvalidInput naming each field of the destination that cannot be.
    """
    _may_record(uow)
    client = get_client(uow, command.client_id)
    find_graduation(uow, client.id, command.class_year)
    made = keep_outcome(uow, client.id, command.class_year, command.destination, by=uow.actor.membership_id)
    record(uow, "outcome.recorded", "client", client.id, outcome=str(made.id), class_year=command.class_year)
    return made


def keep_outcome(
    uow: UnitOfWork,
    client_id: UUID,
    class_year: int,
    given: Destination,
    *,
    by: UUID | None,
) -> Outcome:
    """Check and store a destination; the caller knows that the actor may and that the graduation is there.

    Raises InvalidInput naming each field that cannot be.
    """
    problems = problems_of(given, today_here(uow))
    occupation = find_occupation(uow, given.occupation)
    if given.occupation.strip() and occupation is None:
        problems.append(FieldProblem("occupation", later("The catalogue has no occupation of this title or code.")))
    if problems:
        raise InvalidInput(problems)
    made = Outcome(
        id=uuid4(),
        client_id=client_id,
        class_year=class_year,
        occupation_release=occupation[0] if occupation else None,
        occupation_code=occupation[1] if occupation else None,
        recorded_at=uow.now,
        recorded_by=by,
        **_columns(given),
    )
    uow.session.add(made)
    uow.session.flush()
    return made


def _columns(given: Destination) -> dict[str, Any]:
    return {
        "status": given.status,
        "employment": given.employment,
        "employer": given.employer.strip(),
        "title": given.title.strip(),
        "place": given.place.strip(),
        "salary": given.salary,
        "currency": given.currency,
        "known_on": given.known_on,
        "source": given.source,
    }


def find_occupation(uow: UnitOfWork, typed: str) -> tuple[str, str] | None:
    """Release and code of the occupation of the current catalogue that has this title or code; None where none has."""
    wanted = typed.strip().casefold()
    release = current_release(uow)
    if not wanted or release is None:
        return None
    known = all_facts(uow, release)
    if wanted in known:
        return release.key, wanted
    code = next((one.code for one in known.values() if one.title.casefold() == wanted), None)
    return (release.key, code) if code is not None else None


def withdraw_outcome(uow: UnitOfWork, client_id: UUID, outcome_id: UUID) -> None:
    """Take back what was recorded by mistake: it stays in the history and counts no more; repeating it is harmless.

    Raises NotFound for a client the actor may not see or an outcome not theirs, and Forbidden.
    """
    _may_record(uow)
    client = get_client(uow, client_id)
    found = uow.session.scalars(
        select(Outcome).where(Outcome.id == outcome_id, Outcome.client_id == client.id).with_for_update()
    ).one_or_none()
    if found is None:
        raise NotFound("There is no such outcome.")
    if found.withdrawn_at is None:
        found.withdrawn_at, found.withdrawn_by = uow.now, uow.actor.membership_id
        uow.session.flush()
        record(uow, "outcome.withdrawn", "client", client.id, outcome=str(found.id))


def find_graduation(uow: UnitOfWork, client_id: UUID, class_year: int, *, lock: bool = False) -> Graduation:
    """A client's graduation with a class. Raises NotFound."""
    found = _graduation(uow, client_id, class_year, lock=lock)
    if found is None:
        raise NotFound("There is no such graduation.")
    return found


def _graduation(uow: UnitOfWork, client_id: UUID, class_year: int, *, lock: bool = False) -> Graduation | None:
    if not FIRST_CLASS <= class_year <= LAST_CLASS:
        # An address may name any number, a column cannot hold it.
        return None
    statement = select(Graduation).where(Graduation.client_id == client_id, Graduation.class_year == class_year)
    return uow.session.scalars(statement.with_for_update() if lock else statement).one_or_none()


def _may_record(uow: UnitOfWork) -> None:
    if not uow.actor.may(Permission.WORK_PLANS):
        raise Forbidden("You may not do this. Ask an administrator of your organization.")
