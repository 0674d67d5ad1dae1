"""Mails about a person's account. They belong to no organization, so no outbox row keeps them: who waits can ask again.

They are written and sent on a thread of their own, so that an answer takes the same time whether or
not there is an account behind an address (TRUST S6).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import structlog
from flask_babel import gettext

from app.config import Settings
from app.infra.mail import Fate, send_account_mail

_LOG = structlog.get_logger()


class AccountPost(Protocol):
    """Does account work after the answer, and sends mails."""

    def later(self, work: Callable[[], None]) -> None:
        """Run `work` when the answer no longer waits for it."""

    def send(self, to: str, subject: str, text: str) -> None:
        """Send one mail; a failure is logged without the address."""


class ThreadedPost:
    """The post of a web process: two threads, started with the first work."""

    def __init__(self, settings: Settings) -> None:
        """Start nothing yet."""
        self._settings = settings
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="account-post")

    def later(self, work: Callable[[], None]) -> None:
        """Run `work` on a thread; what it raises is logged."""
        self._threads.submit(self._run, work)

    def send(self, to: str, subject: str, text: str) -> None:
        """Send one mail now."""
        outcome = send_account_mail(self._settings, to, subject, text)
        if outcome.fate is not Fate.SENT:
            _LOG.warning("account_mail_not_sent", fate=outcome.fate.value, relay_down=outcome.relay_down)

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # nobody waits for the thread, so the log must have it
            _LOG.error("account_work_failed", exc_info=error)


def reset_mail(name: str, link: str) -> tuple[str, str]:
    """Subject and text of the mail with a link to a new password."""
    text = gettext(
        "Hello %(name)s,\n\n"
        "somebody asked for a new password for your Octant account. To choose one, open this link within\n"
        "30 minutes:\n\n%(link)s\n\n"
        "If that was not you, you need to do nothing: your password stays as it is.\n",
        name=name,
        link=link,
    )
    return gettext("Choose a new password"), text


def invitation_mail(name: str, organization: str, link: str, days: int) -> tuple[str, str]:
    """Subject and text of the mail that invites to an organization."""
    text = gettext(
        "Hello %(name)s,\n\n"
        "%(organization)s invites you to Octant, where it plans careers in eight steps. To begin, open this\n"
        "link within %(days)s days:\n\n%(link)s\n\n"
        "The link is yours alone and works once.\n",
        name=name,
        organization=organization,
        days=days,
        link=link,
    )
    return gettext("Your invitation to %(organization)s", organization=organization), text
