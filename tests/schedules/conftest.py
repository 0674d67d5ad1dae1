"""Messages leave through a mail server of the test's own."""

from tests.mail_fixture import mailing, sink

__all__ = ["mailing", "sink"]
