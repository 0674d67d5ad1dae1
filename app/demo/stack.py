"""The servers and processes of a demonstration, and their end."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from sqlalchemy.engine import make_url

from app.config import Settings
from app.demo.build import DemoError
from app.demo.keep import Keep, open_keep
from app.features.occupations.starter import load_starter
from app.infra.db import migrate as migrations
from app.infra.embedded import PostgresServer, ValkeyServer, is_free, start_postgres, start_valkey
from app.infra.placement import hold
from app.infra.supervisor import Child, end_recorded

Say = Callable[[str], None]
HOST = "127.0.0.1"
DATABASE = "octant"


@dataclass
class Stack:
    """PostgreSQL, Valkey and the settings of one demonstration; a context that stops both servers at its end."""

    folder: Path
    say: Say
    port: int = 0
    size: int = 300
    seed: int = 8

    def __enter__(self) -> Stack:
        """Start the servers and bring the schema up to date. Raises DemoError when the port is taken."""
        self.folder = self.folder.absolute()
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o711)
        self._lock = hold(self.folder)
        self._postgres: PostgresServer | None = None
        self._valkey: ValkeyServer | None = None
        try:
            end_recorded(self.record)
            if self.port and not is_free(self.port):
                raise DemoError(
                    f"Port {self.port} is in use by another program. Choose another one: make demo PORT={self.port + 1}"
                )
            self.keep: Keep = open_keep(self.folder, roles=migrations.ROLES, size=self.size, seed=self.seed)
            self.say("Starting PostgreSQL and Valkey")
            self._postgres = start_postgres(self.folder / "postgres")
            self._valkey = start_valkey(self.folder / "valkey")
            self.say("Bringing the database up to date")
            superuser = self._postgres.superuser_url
            migrations.create_roles(superuser, self.keep.role_passwords)
            migrations.create_database(superuser, DATABASE)
            migrations.migrate(self.owner_url)
            load_starter(self.owner_url)
            self._choose_ports()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop both servers."""
        self._end()

    @property
    def record(self) -> Path:
        """Where the supervisor notes its children, so that a next start ends what a killed one left."""
        return self.folder / "processes.json"

    @property
    def mail_folder(self) -> Path:
        """The sink's folder; its messages are in `messages`."""
        return self.folder / "mail"

    @property
    def mail_url(self) -> str:
        """The address of the page that shows the mail."""
        return f"http://{HOST}:{self.keep.ports['mail_page']}"

    @property
    def owner_url(self) -> str:
        """The database as the owner of the schema, who alone writes the catalogue of occupations."""
        return self._url("octant_owner")

    @property
    def public_url(self) -> str:
        """The address of the application."""
        return f"http://{HOST}:{self.port}"

    def settings(self) -> Settings:
        """Settings of every process of this demonstration."""
        if self._valkey is None:
            raise RuntimeError("The servers of the demonstration are not running.")
        return Settings(
            database_url=self._url("octant_app"),
            identity_database_url=self._url("octant_identity"),
            owner_database_url="",
            broker_url=self._valkey.url,
            secret_key=self.keep.secret_key,
            public_url=self.public_url,
            storage_dir=self.folder / "storage",
            smtp_url=f"smtp://{HOST}:{self.keep.ports['smtp']}",
            mail_from="Octant demonstration <octant@example.org>",
            mail_lookup_url=f"{self.mail_url}/lookup",
            mail_browser_url=self.mail_url,
            bounce_address="bounce@example.org",
            environment="demo",
            log_format="text",
            log_level="WARNING",
        )

    def children(self, *, web: bool) -> list[Child]:
        """The processes to supervise, in the order to start them; the web and beat only when asked for."""
        cores = os.cpu_count() or 2
        children = [
            self._mail_sink(),
            self._worker("worker-bulk", "--queues", "bulk,long", "--concurrency", str(cores)),
            # One process for both quick queues: each further one costs two seconds at the start.
            self._worker("worker", "--queues", "prompt,sweep", "--concurrency", "2"),
            self._octant("sweeper", "sweeper", "--every", "1"),
        ]
        if web:
            children.append(self._octant("beat", "beat", "--schedule", str(self.folder / "beat-schedule")))
            children.append(
                self._octant(
                    *("web", "web", "--port", str(self.port), "--workers", str(cores)),
                    ready=f"{self.public_url}/readyz",
                )
            )
        return children

    def _worker(self, name: str, *arguments: str) -> Child:
        """A worker that is restarted when it no longer hears the broker."""
        heartbeat = self.folder / f"{name}.alive"
        child = self._octant(name, "worker", *arguments)
        environment = replace(self.settings(), heartbeat_file=str(heartbeat)).environ()
        return replace(child, env=environment, heartbeat_file=heartbeat, heartbeat_seconds=120.0)

    def _octant(self, name: str, *arguments: str, ready: str | None = None) -> Child:
        # Without the caller's own OCTANT_ variables: they describe another installation.
        clean = {key: value for key, value in os.environ.items() if not key.startswith("OCTANT_")}
        return Child(
            name=name,
            argv=(sys.executable, "-m", "app.cli", "run", *arguments),
            env=self.settings().environ(),
            drop_env=frozenset(os.environ) - frozenset(clean),
            cwd=_ROOT,
            ready=ready,
            # The demonstration is built beside the start, which on a small or busy machine takes its time.
            ready_seconds=240,
        )

    def _mail_sink(self) -> Child:
        self.mail_folder.mkdir(exist_ok=True)
        ready = self.mail_folder / "ready.json"
        ready.unlink(missing_ok=True)
        ports = self.keep.ports
        return Child(
            name="mail",
            argv=(
                *(sys.executable, "-m", "app.infra.mailsink", f"--spool={self.mail_folder}"),
                *(f"--smtp-port={ports['smtp']}", f"--http-port={ports['mail_page']}", f"--ready-file={ready}"),
            ),
            cwd=_ROOT,
            ready=ready.exists,
        )

    def _url(self, role: str) -> str:
        if self._postgres is None:
            raise RuntimeError("The servers of the demonstration are not running.")
        password = self.keep.role_passwords[role]
        url = make_url(self._postgres.superuser_url).set(username=role, password=password, database=DATABASE)
        return url.render_as_string(hide_password=False)

    def _choose_ports(self) -> None:
        for name in ("smtp", "mail_page", *(() if self.port else ("web",))):
            port = self.keep.ports.get(name)
            if not port or not is_free(port):
                self.keep.ports[name] = _free_port()
        self.port = self.port or self.keep.ports["web"]
        self.keep.save()

    def _end(self) -> None:
        if self._valkey is not None:
            self._valkey.stop()
        if self._postgres is not None:
            self._postgres.stop()
        os.close(self._lock)


_ROOT = Path(__file__).resolve().parents[2]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
