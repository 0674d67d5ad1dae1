"""The deployment files: every setting named, every command of the stack runs, every server takes its configuration."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
import yaml
from sqlalchemy import text

from app.config import FOREIGN, PREFIX, Settings, load
from app.features.organizations.service import create_organization
from app.infra.db.catalogue import tenancy_problems
from app.infra.db.migrate import admin_engine, create_database
from app.infra.embedded import _valkey_program, remove_data, start_postgres
from app.infra.placement import Account, installation
from app.infra.processes import descendants, wait_until_gone
from app.infra.queue import SilentDoorbell
from app.infra.runtime import make_runtime
from tests.harness import Servers

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy"
COMPOSE = (ROOT / "docker-compose.yml").read_text("utf-8")


def _services() -> dict[str, dict[str, Any]]:
    services: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE)["services"]
    return services


def _commands() -> dict[str, list[str]]:
    """The commands of the services that run our image."""
    return {name: service["command"] for name, service in _services().items() if service["image"] == "octant"}


def _settings_in_example() -> dict[str, str]:
    lines = (DEPLOY / "octant.env.example").read_text("utf-8").splitlines()
    pairs = [line.lstrip("#").split("=", 1) for line in lines if re.match(r"#?OCTANT_[A-Z_]+=", line)]
    return dict(pairs)


def test_the_example_names_every_setting_with_its_default() -> None:
    example = _settings_in_example()
    known = {PREFIX + field.name.upper(): field for field in fields(Settings)}
    assert set(example) == set(known)
    for name, value in example.items():
        default = known[name].default
        if isinstance(default, int) and name != "OCTANT_TRUSTED_PROXIES":
            assert value == str(default), name
    filled = {k: v for k, v in example.items() if v} | {"OCTANT_SECRET_KEY": "x" * 32}
    assert load(filled).trusted_proxies == 1


def test_the_operators_guide_has_a_row_for_every_setting() -> None:
    guide = (ROOT / "docs" / "operations.md").read_text("utf-8")
    rows = set(re.findall(r"^\| `(OCTANT_[A-Z_]+)`", guide, re.MULTILINE))
    assert rows == {PREFIX + field.name.upper() for field in fields(Settings)}


def test_the_address_of_a_superuser_is_no_setting_and_no_mistake() -> None:
    assert "OCTANT_SUPERUSER_URL" in FOREIGN


@pytest.mark.parametrize("script", sorted(DEPLOY.glob("*.sh")), ids=lambda path: path.name)
def test_scripts_are_readable_by_a_plain_shell(script: Path) -> None:
    assert script.read_text("utf-8").startswith("#!/bin/sh\n")
    assert os.access(script, os.X_OK)
    done = subprocess.run(["/bin/sh", "-n", str(script)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_nothing_secret_stands_in_the_stack_and_nothing_but_the_web_is_published() -> None:
    services = _services()
    assert set(services) == {
        *("web", "worker-prompt", "worker-bulk", "worker-long", "worker-sweep", "beat", "sweeper", "migrate"),
        *("postgres", "valkey", "mail"),
    }
    assert not re.search(r"://[^/\s]*:[^/\s]*@", COMPOSE)
    given = {name for service in services.values() for name in service.get("environment", {})}
    assert {name for name in given if not name.endswith("_FILE")} == {"POSTGRES_INITDB_ARGS"}
    published = [port for service in services.values() for port in service.get("ports", ())]
    assert sorted(published) == ["127.0.0.1:8000:8000", "127.0.0.1:8025:8025"]
    queues = {q for c in _commands().values() if "--queues" in c for q in c[c.index("--queues") + 1].split(",")}
    assert queues == {"prompt", "bulk", "long", "sweep"}, "every queue has a worker"
    assert {name for name, service in services.items() if service["restart"] != "always"} == {"migrate"}
    assert all("healthcheck" in services[n] for n in services if n not in {"beat", "sweeper", "migrate", "mail"})


@pytest.fixture
def octant_on_path(tmp_path: Path) -> str:
    """A PATH on which `octant` is this project's, as in the image."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "octant"
    program.write_text(f'#!/bin/sh\ncd "{ROOT}"\nexec "{sys.executable}" -m app.cli "$@"\n')
    program.chmod(0o755)
    return f"{folder}:/usr/local/bin:/usr/bin:/bin"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:  # noqa: S310 - our own process
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@pytest.mark.fault
def test_every_command_of_the_stack_starts_and_ends_on_a_signal(
    servers: Servers, tmp_path: Path, octant_on_path: str
) -> None:
    database = servers.clone()
    settings = servers.settings(database, tmp_path / "storage")
    given = {k: v for k, v in settings.environ().items() if k != "OCTANT_OWNER_DATABASE_URL"}
    secret, owner = tmp_path / "key", tmp_path / "owner"
    secret.write_text(given.pop("OCTANT_SECRET_KEY") + "\n")
    owner.write_text(settings.owner_database_url + "\n")
    given |= {"PATH": octant_on_path, "OCTANT_SECRET_KEY_FILE": str(secret)}
    port = _free_port()
    running: dict[str, tuple[subprocess.Popen[bytes], Callable[[], bool]]] = {}
    try:
        for name, command in _commands().items():
            environment, ready = dict(given), lambda: True
            words = [{"0.0.0.0": "127.0.0.1", "8000": str(port)}.get(word, word) for word in command]  # noqa: S104 - read, not bound
            if "/tmp/beat-schedule" in words:  # noqa: S108 - replaced here
                words[words.index("/tmp/beat-schedule")] = str(tmp_path / "beat")  # noqa: S108 - as above
                ready = lambda: "Starting" in (tmp_path / "beat.log").read_text()  # noqa: E731 - as below
            if "worker" in words:
                beat = tmp_path / f"{name}.alive"
                environment["OCTANT_HEARTBEAT_FILE"] = str(beat)
                ready = beat.exists
            if name == "web":
                ready = lambda: _answers(f"http://127.0.0.1:{port}/readyz")  # noqa: E731 - bound to this name
            if name == "migrate":
                environment["OCTANT_OWNER_DATABASE_URL_FILE"] = str(owner)
            with (tmp_path / f"{name}.log").open("wb") as log:
                process = subprocess.Popen(
                    [str(DEPLOY / "entrypoint.sh"), *words], env=environment, stdout=log, stderr=log, cwd=ROOT
                )
            running[name] = (process, ready)
        migrating, _ = running.pop("migrate")
        assert migrating.wait(120) == 0, (tmp_path / "migrate.log").read_text()
        deadline = time.monotonic() + 150
        for name, (process, ready) in running.items():
            while not ready():
                said = (tmp_path / f"{name}.log").read_text()
                assert process.poll() is None, f"{name}: {said}"
                assert time.monotonic() < deadline, f"{name}: {said}"
                time.sleep(0.2)
        alive = {"PATH": octant_on_path, "OCTANT_HEARTBEAT_FILE": str(tmp_path / "worker-bulk.alive")}
        healthy = subprocess.run([str(DEPLOY / "worker-alive.sh")], env=alive, check=False)
        assert healthy.returncode == 0
        os.utime(tmp_path / "worker-bulk.alive", (0, 0))
        deaf = subprocess.run([str(DEPLOY / "worker-alive.sh")], env=alive, check=False)
        assert deaf.returncode != 0
        for process, _ in running.values():
            process.send_signal(signal.SIGTERM)
        for name, (process, _) in running.items():
            assert process.wait(60) in (0, -signal.SIGTERM), name
    finally:
        for process, _ in running.values():
            if process.poll() is None:
                process.kill()
                process.wait()
        servers.drop(database)


@pytest.mark.fault
def test_the_web_ends_although_one_of_its_processes_does_not(servers: Servers, tmp_path: Path) -> None:
    database, port = servers.clone(), _free_port()
    given = {k: v for k, v in os.environ.items() if not k.startswith("OCTANT_")}
    command = [sys.executable, "-m", "app.cli", "run", "web", "--port", str(port), "--workers", "2"]
    with (tmp_path / "web.log").open("wb") as log:
        process = subprocess.Popen(
            command, env=given | servers.settings(database, tmp_path).environ(), stdout=log, stderr=log, cwd=ROOT
        )
    try:
        deadline = time.monotonic() + 90
        while not _answers(f"http://127.0.0.1:{port}/readyz"):
            assert time.monotonic() < deadline, (tmp_path / "web.log").read_text()
            time.sleep(0.2)
        children = descendants(process.pid)
        os.kill(max(children), signal.SIGSTOP)
        process.send_signal(signal.SIGTERM)
        # Within the 40 seconds the stack gives it.
        process.wait(40)
        assert wait_until_gone(children, 2) == set()
    finally:
        for left in (*descendants(process.pid), process.pid):
            with suppress(ProcessLookupError):
                os.kill(left, signal.SIGKILL)
        process.wait()
        servers.drop(database)


def test_an_unreadable_secret_file_is_named(octant_on_path: str) -> None:
    done = subprocess.run(
        [str(DEPLOY / "entrypoint.sh"), "run", "web"],
        env={"PATH": octant_on_path, "OCTANT_SECRET_KEY_FILE": "/no/such/file"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "OCTANT_SECRET_KEY_FILE names /no/such/file, which cannot be read." in done.stderr


def test_postgresql_takes_our_configuration(tmp_path: Path) -> None:
    text = (DEPLOY / "postgresql.conf").read_text("utf-8")
    values = dict(re.findall(r"^([a-z_]+) = '?([^'#\n]+?)'?\s*(?:#.*)?$", text, re.MULTILINE))
    assert len(values) > 15
    # Where it listens and how much it takes are this machine's; everything else is as shipped.
    values |= {"listen_addresses": "127.0.0.1", "shared_buffers": "32MB"}
    server = start_postgres(tmp_path / "pg", settings=values)
    try:
        with psycopg.connect(server.superuser_url) as connection:
            for name in ("fsync", "synchronous_commit", "full_page_writes"):
                assert connection.execute(f"SHOW {name}").fetchone() == ("on",)
            assert connection.execute("SHOW log_parameter_max_length").fetchone() == ("0",)
    finally:
        server.stop("immediate")
        remove_data(server.data_dir)


def test_a_dump_restored_elsewhere_keeps_the_rows_and_the_rules_of_tenancy(servers: Servers, tmp_path: Path) -> None:
    programs = installation(Account())
    before = servers.clone()
    runtime = make_runtime(servers.settings(before, tmp_path / "storage"), doorbell=SilentDoorbell())
    create_organization(runtime, slug="kept", name="Kept", time_zone="Europe/Dublin", locale="en")
    runtime.database.dispose()
    superuser = servers.postgres.superuser_url.rsplit("/", 1)[0]
    after, dump = f"restored_{before}", tmp_path / "octant.dump"
    create_database(servers.postgres.superuser_url, after)
    for program, *words in (
        ["pg_dump", "--format=custom", f"--file={dump}", f"{superuser}/{before}"],
        ["pg_restore", "--exit-on-error", f"--dbname={superuser}/{after}", str(dump)],
    ):
        done = subprocess.run([str(programs / program), *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    with admin_engine(f"{superuser}/{after}").connect() as connection:
        assert connection.execute(text("SELECT name FROM organizations")).scalars().all() == ["Kept"]
        assert tenancy_problems(connection) == []
    servers.drop(after)
    servers.drop(before)


def test_valkey_takes_our_configuration_and_keeps_nothing(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("requirepass only-a-test\n")
    text = (DEPLOY / "valkey.conf").read_text("utf-8")
    port = _free_port()
    text = text.replace("/run/secrets/valkey_password", str(tmp_path / "password"))
    text = text.replace("port 6379", f"port {port}").replace("bind * -::*", "bind 127.0.0.1")
    config = tmp_path / "valkey.conf"
    config.write_text(text + f'\ndir "{tmp_path}"\n')
    process = subprocess.Popen([str(_valkey_program()), str(config)], stdout=subprocess.DEVNULL)
    try:
        client = redis.Redis(host="127.0.0.1", port=port, password="only-a-test")
        deadline = time.monotonic() + 20
        while True:
            try:
                client.ping()
                break
            except redis.ConnectionError:
                assert time.monotonic() < deadline
                time.sleep(0.05)
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        client.set("a", "b")
        client.close()
    finally:
        process.terminate()
        process.wait(20)
    assert not list(tmp_path.glob("*.rdb")) + list(tmp_path.glob("appendonly*"))


def test_the_image_takes_what_is_in_the_tree_and_runs_as_nobody_special() -> None:
    text = (DEPLOY / "Dockerfile").read_text("utf-8")
    for source in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE):
        for name in source.split():
            assert (ROOT / name).exists(), name
    allowed = (ROOT / ".dockerignore").read_text("utf-8")
    for name in ("app", "workers", "migrations", "requirements/run.txt", "deploy/entrypoint.sh"):
        assert f"!{name}" in allowed
    assert re.search(r"^USER octant$", text, re.MULTILINE)
    assert "--require-hashes" in text
    assert shutil.which("sh")
