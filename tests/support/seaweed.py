"""SeaweedFS as the S3 of the tests: one process on loopback, its own ports and directory.

Three credentials: ``admin`` may everything, ``writer`` what docs/retention.md gives an appliance,
``reader`` what it gives an auditor.
"""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from reconciler.ledger.worm.settings import Limits, StoreSettings
from tests.support.rigs import rig

BUCKET = "evidence"
REGION = "us-east-1"
LIMITS = Limits(connect_s=2, read_s=5, total_s=20, attempts=2)
PORTS = ("master", "volume", "filer", "s3")
LOCKS = ["GetObjectRetention", "GetObjectLegalHold", "GetBucketObjectLockConfiguration"]
RIGHTS = {
    "admin": ["Admin", "Read", "Write", "List"],
    "writer": ["Read", "Write", "List", "PutObjectRetention", *LOCKS],
    "reader": ["Read", "List", *LOCKS],
}


@dataclass(frozen=True)
class Seaweed:
    """A running store with one bucket that locks."""

    directory: Path
    ports: dict[str, int]
    clients: dict[str, Any] = field(default_factory=dict)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.ports['s3']}"

    def settings(self, prefix: str, *, name: str = "writer", **changes: Any) -> StoreSettings:
        """Settings for one of the credentials; each test takes a prefix of its own."""
        given = {
            "endpoint": self.endpoint,
            "bucket": BUCKET,
            "region": REGION,
            "prefix": prefix,
            "access_key_file": self.directory / f"{name}.id",
            "secret_key_file": self.directory / f"{name}.secret",
            "limits": LIMITS,
        }
        return StoreSettings(**{**given, **changes})

    def client(self, name: str) -> Any:
        """A plain boto3 client: what an attacker with that credential has."""
        if name not in self.clients:
            import boto3
            from botocore.config import Config

            self.clients[name] = boto3.client(
                "s3",
                endpoint_url=self.endpoint,
                region_name=REGION,
                aws_access_key_id=name,
                aws_secret_access_key=f"{name}-secret",
                config=Config(proxies={}, s3={"addressing_style": "path"}),
            )
        return self.clients[name]


_running: list[Seaweed] = []


@pytest.fixture(scope="session")
def seaweed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    """A store for the whole session, also where several files import this fixture."""
    if _running:
        yield _running[0]
        return
    program = shutil.which("weed", path=f"{Path(sys.executable).parent}:{os.defpath}")
    rig("SeaweedFS", None if program else "weed is not installed")
    assert program is not None
    with running(program, tmp_path_factory.mktemp("seaweed")) as store:
        _running.append(store)
        yield store
        _running.clear()


@contextmanager
def running(program: str, directory: Path) -> Iterator[Seaweed]:
    """Start it, wait for it, make the bucket; in the end kill it, as it takes long to stop."""
    store = Seaweed(directory, _free_ports())
    _write_credentials(directory)
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            _command(program, store), cwd=directory, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        _wait(store, process)
        yield store
    finally:
        for client in store.clients.values():
            client.close()
        process.send_signal(signal.SIGKILL)
        process.wait()
        for port in store.ports.values():
            for left in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
                left.unlink()


def _command(program: str, store: Seaweed) -> list[str]:
    ports = {
        **{f"{name}.port": store.ports[name] for name in PORTS},
        **{f"{name}.port.grpc": store.ports[f"{name}.grpc"] for name in PORTS},
        "metricsPort": store.ports["metrics"],
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
    }
    return [
        *(program, "-logtostderr=true", "server", f"-dir={store.directory}", "-filer", "-s3"),
        # The filer deletes whatever it is told to, locked or not: nobody else may reach it.
        *("-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false", "-volume.max=100"),
        *("-master.volumeSizeLimitMB=64", "-s3.iam=false"),
        f"-s3.config={store.directory / 's3.json'}",
        *(f"-{name}={port}" for name, port in ports.items()),
    ]


def _free_ports() -> dict[str, int]:
    names = [*PORTS, *(f"{name}.grpc" for name in PORTS), "metrics"]
    sockets = [socket.socket() for _ in names]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return dict(zip(names, ports, strict=True))


def _write_credentials(directory: Path) -> None:
    identities = []
    for name, actions in RIGHTS.items():
        keys = {"accessKey": name, "secretKey": f"{name}-secret"}
        identities.append({"name": name, "credentials": [keys], "actions": actions})
        for suffix, text in (("id", name), ("secret", f"{name}-secret")):
            file = directory / f"{name}.{suffix}"
            file.write_text(f"{text}\n")
            file.chmod(0o600)
    (directory / "s3.json").write_text(json.dumps({"identities": identities}))


def _wait(store: Seaweed, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + 40
    while not _ready(store):
        assert process.poll() is None, (store.directory / "log").read_text()[-3000:]
        assert time.monotonic() < until, "SeaweedFS did not start in 40 s"
        time.sleep(0.05)
    store.client("admin").create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=True)


def _ready(store: Seaweed) -> bool:
    try:
        with closing(
            http.client.HTTPConnection("127.0.0.1", store.ports["s3"], timeout=2)
        ) as connection:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
    except OSError:
        return False
