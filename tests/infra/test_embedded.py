import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.infra import processes
from app.infra.embedded import (
    EmbeddedServerError,
    PostgresServer,
    remove_data,
    start_postgres,
    start_valkey,
)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder whose database, wherever it was put, is removed after the test."""
    data = tmp_path / "data"
    yield data
    remove_data(data)


def _write(server: PostgresServer) -> None:
    with psycopg.connect(server.superuser_url) as connection:
        connection.execute("CREATE TABLE kept (n int)")
        connection.execute("INSERT INTO kept VALUES (41), (1)")


def _read(server: PostgresServer) -> int:
    with psycopg.connect(server.superuser_url) as connection:
        row = connection.execute("SELECT sum(n) FROM kept").fetchone()
    assert row is not None
    return int(row[0])


def test_postgres_starts_private_and_keeps_its_data_over_a_restart(folder: Path) -> None:
    server = start_postgres(folder)
    try:
        with psycopg.connect(server.superuser_url) as connection:
            shown = {
                name: connection.execute(f"SHOW {name}").fetchone()
                for name in ("listen_addresses", "fsync", "server_encoding", "max_connections")
            }
            locale = connection.execute(
                "SELECT datlocprovider, datlocale FROM pg_database WHERE datname = 'template1'"
            ).fetchone()
            login = connection.execute("SELECT rolpassword FROM pg_authid WHERE rolname = 'postgres'").fetchone()
        assert shown == {
            "listen_addresses": ("127.0.0.1",),
            "fsync": ("on",),
            "server_encoding": ("UTF8",),
            "max_connections": ("120",),
        }
        assert locale == ("b", "C.UTF-8")
        assert login is not None
        assert login[0].startswith("SCRAM-SHA-256")
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(host=server.host, port=server.port, user="postgres", password="guess")
        _write(server)
    finally:
        server.stop()
    assert not processes.is_running(server.pid)
    assert stat.S_IMODE((folder / "superuser-password").stat().st_mode) == 0o600

    again = start_postgres(folder)
    try:
        assert _read(again) == 42
        assert again.superuser_url == server.superuser_url
    finally:
        again.stop()


def test_postgres_recovers_after_kill_9_even_when_its_number_is_taken(folder: Path) -> None:
    server = start_postgres(folder, durable=False)
    _write(server)
    family = {server.pid} | processes.descendants(server.pid)
    assert len(family) > 3
    server.kill()
    assert not family & processes.parents().keys()
    moved = folder / "moved-to"
    home = Path(moved.read_text().strip()) if moved.exists() else folder
    pid_file = home / "pg" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")

    again = start_postgres(folder, durable=False)
    try:
        assert _read(again) == 42
    finally:
        again.stop()


def test_two_postgres_start_at_once_and_one_folder_serves_one(tmp_path: Path) -> None:
    folders = [tmp_path / "a", tmp_path / "b"]
    try:
        with ThreadPoolExecutor(2) as pool:
            servers = list(pool.map(lambda path: start_postgres(path, durable=False), folders))
        try:
            assert servers[0].port != servers[1].port
            for server in servers:
                with psycopg.connect(server.superuser_url) as connection:
                    assert connection.execute("SHOW fsync").fetchone() == ("off",)
            with pytest.raises(EmbeddedServerError, match="in use by another Octant"):
                start_postgres(folders[0], durable=False)
        finally:
            for server in servers:
                server.stop()
    finally:
        for path in folders:
            remove_data(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to give its rights up")
def test_root_runs_postgres_as_nobody_and_opens_no_folder(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    folder = closed / "data"
    server = start_postgres(folder, durable=False)
    try:
        assert Path(f"/proc/{server.pid}").stat().st_uid != 0
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
        home = Path((folder / "moved-to").read_text().strip())
        assert (home / "pg" / "PG_VERSION").exists()
        assert stat.S_IMODE((home / "pg").stat().st_mode) == 0o700
    finally:
        server.stop()
    remove_data(folder)
    assert not home.exists()


def test_an_orphan_of_a_killed_owner_is_replaced(folder: Path) -> None:
    server = start_postgres(folder, durable=False)
    _write(server)
    os.close(server.lock)  # what the kernel does when the owner is killed
    server.lock = -1
    again = start_postgres(folder, durable=False)
    try:
        assert server.process.wait(5) == 0
        assert _read(again) == 42
    finally:
        again.stop()


def test_a_folder_whose_database_is_gone_says_so(folder: Path, tmp_path: Path) -> None:
    folder.mkdir()
    (folder / "moved-to").write_text(f"{tmp_path}/nowhere\n")
    with pytest.raises(EmbeddedServerError, match="which is gone"):
        start_postgres(folder)


def test_only_a_stopped_servers_folder_is_removed(tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "text").touch()
    with pytest.raises(EmbeddedServerError, match="left alone"):
        remove_data(tmp_path / "thesis")
    assert (tmp_path / "thesis" / "text").exists()
    server = start_valkey(tmp_path / "demo" / "valkey")
    with pytest.raises(EmbeddedServerError, match="in use"):
        remove_data(tmp_path / "demo")
    server.stop()
    remove_data(tmp_path / "demo")
    assert not (tmp_path / "demo").exists()
    remove_data(tmp_path / "demo")


def test_valkey_is_private_forgets_by_default_and_persists_when_asked(tmp_path: Path) -> None:
    server = start_valkey(tmp_path / "plain")
    try:
        with redis.Redis.from_url(server.url) as client:
            client.set("k", "v")
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
            assert client.config_get("bind") == {"bind": "127.0.0.1"}
        with (
            redis.Redis(host=server.host, port=server.port, retry=Retry(NoBackoff(), 0)) as client,
            pytest.raises(redis.AuthenticationError),
        ):
            client.get("k")
    finally:
        server.stop()
    for path in (tmp_path / "plain").iterdir():
        if path.name in {"valkey.conf", "valkey-password"}:
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = start_valkey(tmp_path / "plain")
    with redis.Redis.from_url(again.url) as client:
        assert client.get("k") is None
    again.stop()

    kept = start_valkey(tmp_path / "kept", persist=True)
    with redis.Redis.from_url(kept.url) as client:
        client.set("k", "v")
        client.execute_command("WAITAOF", 1, 0, 5000)
    kept.kill()
    assert not processes.is_running(kept.pid)
    again = start_valkey(tmp_path / "kept", persist=True)
    try:
        assert again.url == kept.url
        with redis.Redis.from_url(again.url) as client:
            assert client.get("k") == b"v"
    finally:
        again.stop()
