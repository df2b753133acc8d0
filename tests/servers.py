"""Servers of other kinds that some tests need, each started once a run, in a throw-away folder, on the loopback interface."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_SECONDS = 60
_AT_ONCE = signal.SIGKILL
"""For what takes long to end, and of which nothing outlives the run."""


def free_port() -> int:
    """Return a port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def open_server(
    command: Sequence[str], port: int, end: signal.Signals = signal.SIGINT
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends, when it gets the signal ``end``; it begins when the port answers."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(list(command), stdout=said, stderr=said)
        try:
            deadline = time.monotonic() + _SECONDS
            while not _answers(port):
                if process.poll() is not None or time.monotonic() > deadline:
                    said.seek(0)
                    raise RuntimeError(f"{command[0]} did not start: {said.read()[-800:].decode(errors='replace')}")
                time.sleep(0.05)
            yield process
        finally:
            process.send_signal(end)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def open_postgresql() -> Iterator[str]:
    """Run a PostgreSQL of its own and yield the address of its server, without a database's name."""
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    # It refuses to run as root. Not by subprocess's own "user": that forks, and a fork of a process with gRPC's threads
    # may die before it begins.
    become = ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups") if os.getuid() == 0 else ()
    port = free_port()
    folder = Path(tempfile.mkdtemp(prefix="backline-postgresql-"))
    try:
        if become:
            shutil.chown(folder, "postgres", "postgres")
        make = [*become, str(programs / "initdb"), "-D", str(folder / "data"), "-U", "postgres"]
        subprocess.run(
            [*make, *"-A trust -E UTF8 --locale=C.UTF-8 --no-sync".split()], check=True, capture_output=True, cwd=folder
        )
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(folder),
            "fsync": "off",  # nothing of it outlives the run
            "max_connections": "200",
            "shared_buffers": "32MB",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [*become, str(programs / "postgres"), "-D", str(folder / "data"), "-p", str(port), *options]
        with open_server(command, port, signal.SIGQUIT):  # at once, without a checkpoint
            yield f"postgresql://postgres@127.0.0.1:{port}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def open_redis() -> Iterator[str]:
    """Run a Redis of its own and yield its address."""
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with open_server(command, port):
        yield f"redis://127.0.0.1:{port}/0"


S3_KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}


@contextmanager
def open_s3() -> Iterator[dict[str, str]]:
    """Run a store that speaks S3 (SeaweedFS, a package of the index) and yield the variables that lead to it."""
    master, volume, filer, port = (_port_with_its_twin() for _ in range(4))
    with tempfile.TemporaryDirectory(prefix="backline-s3-") as name:
        folder = Path(name)
        who = {"accessKey": S3_KEYS["AWS_ACCESS_KEY_ID"], "secretKey": S3_KEYS["AWS_SECRET_ACCESS_KEY"]}
        may = ["Admin", "Read", "Write", "List"]
        (folder / "s3.json").write_text(
            json.dumps({"identities": [{"name": "t", "credentials": [who], "actions": may}]})
        )
        (folder / "data").mkdir()
        options = {
            "dir": folder / "data",
            "ip": "127.0.0.1",
            "ip.bind": "127.0.0.1",
            "master.port": master,
            "volume.port": volume,
            "volume.max": 20,
            "filer": "true",
            "filer.port": filer,
            "filer.localSocket": folder / "filer.sock",
            "s3": "true",
            "s3.port": port,
            "s3.config": folder / "s3.json",
        }
        command = [str(Path(sys.executable).with_name("weed")), "server"]
        with open_server([*command, *(f"-{name}={value}" for name, value in options.items())], port, end=_AT_ONCE):
            address = f"http://127.0.0.1:{port}"
            yield {"AWS_ENDPOINT_URL": address, "AWS_ALLOW_HTTP": "true", **S3_KEYS}


@contextmanager
def open_milvus_lite() -> Iterator[str]:
    """Run the Milvus that the package ``milvus-lite`` brings and yield its address."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="backline-milvus-", ignore_cleanup_errors=True) as folder:
        program = str(Path(sys.executable).with_name("milvus-lite"))
        command = [program, "server", "--data-dir", folder, "--host", "127.0.0.1", "--port", str(port)]
        with open_server(command, port, end=_AT_ONCE):
            address = f"http://127.0.0.1:{port}"
            _await_milvus(address)
            yield address


def _await_milvus(address: str) -> None:
    """Return once it serves: its port answers earlier."""
    from pymilvus.exceptions import MilvusException

    from index.engines.milvus import connect
    from index.errors import EngineError

    deadline = time.monotonic() + _SECONDS
    while True:
        try:
            client = connect(address)  # all clients of a process share the first one's connection and its options
            client.list_collections()
        except (EngineError, MilvusException):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            client.close()
            return


def _port_with_its_twin() -> int:
    """Return a free port of which the one 10,000 above is free too: SeaweedFS takes both."""
    while True:
        port = free_port()
        if port < 55_000:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port + 10_000)) != 0:
                    return port


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
