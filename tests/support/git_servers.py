"""Git servers on loopback, each a process that ends with its ``with`` block."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from reconciler.evidence import sshsig
from tests.support.commands import MINIMAL_ENV
from tests.support.evidence_keys import test_key
from tests.support.fleet_git import START

_HTTP_SERVER = Path(__file__).with_name("git_http_server.py")


@contextmanager
def http_server(root: Path, *options: str) -> Iterator[str]:
    """Serve the repositories below a directory; yields ``127.0.0.1:<port>``."""
    argv = [sys.executable, str(_HTTP_SERVER), str(root), *options]
    server = subprocess.Popen(argv, stdout=subprocess.PIPE, env=dict(MINIMAL_ENV))
    try:
        assert server.stdout is not None
        yield f"127.0.0.1:{int(server.stdout.readline())}"
    finally:
        server.kill()
        server.communicate()


@dataclass(frozen=True)
class SshServer:
    """An sshd that lets one key in."""

    address: str
    user_key: Path
    known_hosts: Path


@contextmanager
def ssh_server(folder: Path) -> Iterator[SshServer]:
    """A real sshd on a free high port with throw-away keys."""
    folder.mkdir(mode=0o700)
    port = _free_port()
    for name in ("host", "user"):
        _write_key(folder / name, name)
    (folder / "authorized_keys").write_text(_public("user") + "\n")
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {_public('host')}\n")
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile none\n"
        f"AuthorizedKeysFile {folder}/authorized_keys\nStrictModes no\nUsePAM no\n"
        "PasswordAuthentication no\nPermitRootLogin prohibit-password\n"
    )
    argv = [shutil.which("sshd") or "/usr/sbin/sshd", "-D", "-e", "-f", f"{folder}/sshd_config"]
    with _privilege_separation():
        server = subprocess.Popen(argv, stderr=subprocess.PIPE, env=dict(MINIMAL_ENV))
        try:
            assert server.stderr is not None
            said = server.stderr.readline().decode()
            assert "listening" in said, said + server.stderr.read().decode()
            yield SshServer(f"127.0.0.1:{port}", folder / "user", folder / "known_hosts")
        finally:
            server.kill()
            server.communicate()


def certificate(folder: Path, *, days: int = 36500) -> tuple[Path, Path]:
    """A certificate authority and a server certificate with key for 127.0.0.1, as PEM files."""
    authority_key, server_key = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test authority")])
    usage = x509.BasicConstraints(ca=True, path_length=0)
    authority = _builder(name, authority_key, days).add_extension(usage, critical=True)
    addresses = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    server = _builder(x509.Name([]), server_key, days).issuer_name(name)
    server = server.add_extension(addresses, critical=True)
    folder.mkdir()
    ca, both = folder / "ca.pem", folder / "server.pem"
    ca.write_bytes(authority.issuer_name(name).sign(authority_key, None).public_bytes(Encoding.PEM))
    form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    signed = server.sign(authority_key, None).public_bytes(Encoding.PEM)
    both.write_bytes(server_key.private_bytes(*form) + signed)
    return ca, both


def _builder(name: x509.Name, key: Ed25519PrivateKey, days: int) -> x509.CertificateBuilder:
    begin = START - timedelta(days=3650)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=days))
    )


def _write_key(file: Path, name: str) -> None:
    file.touch(mode=0o600)
    form = (Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    file.write_bytes(test_key(name).private_bytes(*form))


def _public(name: str) -> str:
    return sshsig.public_text(sshsig.raw_public(test_key(name)))


def _free_port() -> int:
    """A port that another process found free; this one may not open sockets."""
    code = "import socket; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    return int(done.stdout)


@contextmanager
def _privilege_separation() -> Iterator[None]:
    """The empty folder that sshd of Debian wants when root starts it."""
    folder = Path("/run/sshd")
    made = not folder.exists()
    if made:
        folder.mkdir(mode=0o755)
    try:
        yield
    finally:
        if made:
            folder.rmdir()
