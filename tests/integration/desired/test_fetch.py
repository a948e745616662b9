"""One honest fleet repository, fetched over every transport from real servers."""

import shutil

import pytest

from reconciler.desired.limits import FetchLimits
from reconciler.desired.source import FleetSource
from reconciler.errors import InputError, MachineError
from reconciler.transport.location import Access
from tests.support.fleet_git import FleetRepo, allowed, at
from tests.support.git_servers import certificate, http_server, ssh_server
from tests.support.rigs import rig

pytestmark = pytest.mark.integration


@pytest.fixture
def fleet(tmp_path):
    repo = FleetRepo(tmp_path / "msp")
    repo.root()
    return repo


def source(tmp_path, url, **access):
    limits = FetchLimits(timeout_s=20)
    return FleetSource(tmp_path / "state/fleet.git", url, "main", limits, access=Access(**access))


def follows(fleet, mirrored):
    """Fetch, verify, read; then a new commit; then nothing new."""
    first = mirrored.fetch()
    accepted = mirrored.verify_new(
        accepted=None, head=first, pinned=allowed("alice"), now=at(60)
    ).commit
    assert (
        mirrored.read_files(accepted)["hosts/example-clinic/client.yaml"] == b"id: example-clinic\n"
    )
    assert "README.md" not in mirrored.read_files(accepted)
    second = fleet.commit("alice", {"hosts/new.yaml": "id: new\n", "approvals/x.yaml": "id: x\n"})
    assert mirrored.fetch() == second
    acceptance = mirrored.verify_new(
        accepted=accepted, head=second, pinned=allowed("alice"), now=at(60)
    )
    assert [one.commit for one in acceptance.commits] == [second]
    assert mirrored.tree_of(second) == fleet.git("rev-parse", "HEAD^{tree}").strip()
    assert mirrored.read_files(second)["approvals/x.yaml"] == b"id: x\n"
    assert mirrored.fetch() == second
    assert mirrored.reverify(second).signer == "alice@msp.example"


def test_path(fleet, tmp_path):
    follows(fleet, source(tmp_path, str(fleet.work)))


def test_file_url(fleet, tmp_path):
    follows(fleet, source(tmp_path, f"file://{fleet.work}"))


def test_http_on_loopback(fleet, tmp_path):
    with http_server(fleet.work.parent) as address:
        follows(fleet, source(tmp_path, f"http://{address}/fleet/.git"))


def test_https_with_the_authority_that_is_configured(fleet, tmp_path):
    ca, pem = certificate(tmp_path / "tls")
    with http_server(fleet.work.parent, "--certificate", str(pem)) as address:
        follows(fleet, source(tmp_path, f"https://{address}/fleet/.git", ca_file=ca))


def fetch_error(tmp_path, url, **access):
    with pytest.raises(MachineError) as caught:
        source(tmp_path, url, **access).fetch()
    return caught.value


def test_https_with_an_authority_that_nobody_configured(fleet, tmp_path):
    _, pem = certificate(tmp_path / "tls")
    with http_server(fleet.work.parent, "--certificate", str(pem)) as address:
        error = fetch_error(tmp_path, f"https://{address}/fleet/.git")
    assert "certificate is not valid" in error.message
    assert "clock" in error.hint


def test_https_with_an_expired_certificate(fleet, tmp_path):
    ca, pem = certificate(tmp_path / "tls", days=30)
    with http_server(fleet.work.parent, "--certificate", str(pem)) as address:
        error = fetch_error(tmp_path, f"https://{address}/fleet/.git", ca_file=ca)
    assert "certificate is not valid" in error.message


def test_token(fleet, tmp_path):
    token = tmp_path / "token"
    token.write_text("s3cret\n")
    with http_server(fleet.work.parent, "--token", "s3cret") as address:
        follows(fleet, source(tmp_path, f"http://{address}/fleet/.git", token_file=token))


@pytest.mark.parametrize("content", [None, "wrong\n"])
def test_missing_or_wrong_token(fleet, tmp_path, content):
    access = {}
    if content:
        access["token_file"] = tmp_path / "token"
        access["token_file"].write_text(content)
    with http_server(fleet.work.parent, "--token", "s3cret") as address:
        error = fetch_error(tmp_path, f"http://{address}/fleet/.git", **access)
    assert "refused the credentials" in error.message
    assert "wrong" not in error.message


def test_repository_that_is_not_there(fleet, tmp_path):
    with http_server(fleet.work.parent) as address:
        error = fetch_error(tmp_path, f"http://{address}/other")
    assert "no repository at this address" in error.message


@pytest.mark.parametrize("prefix", ["", "file://"])
def test_path_that_is_not_there(tmp_path, prefix):
    error = fetch_error(tmp_path, f"{prefix}{tmp_path}/other")
    assert "no repository at this address" in error.message


def test_server_that_is_down(fleet, tmp_path):
    with http_server(fleet.work.parent) as address:
        mirrored = source(tmp_path, f"http://{address}/fleet/.git")
        head = mirrored.fetch()
    with pytest.raises(MachineError, match="cannot be reached") as caught:
        mirrored.fetch()
    assert "last accepted state stays in force" in caught.value.hint
    assert mirrored.read_files(head)


def test_name_that_does_not_resolve(tmp_path):
    assert "cannot be reached" in fetch_error(tmp_path, "https://fleet.invalid/x").message


@pytest.fixture
def sshd(tmp_path):
    found = shutil.which("sshd", path="/usr/sbin:/usr/bin")
    rig("sshd", None if found else "not installed")
    with ssh_server(tmp_path / "ssh") as server:
        yield server


@pytest.mark.parametrize("form", ["ssh://root@{address}{path}", "ssh://root@{address}{path}/.git"])
def test_ssh(fleet, tmp_path, sshd, form):
    url = form.format(address=sshd.address, path=fleet.work)
    access = {"ssh_key": sshd.user_key, "known_hosts": sshd.known_hosts}
    follows(fleet, source(tmp_path, url, **access))


def ssh_error(fleet, tmp_path, sshd, **access):
    files = {"ssh_key": sshd.user_key, "known_hosts": sshd.known_hosts, **access}
    return fetch_error(tmp_path, f"ssh://root@{sshd.address}{fleet.work}", **files)


@pytest.mark.parametrize("content", ["", "# nobody\n", "{address} ssh-ed25519 {other}\n"])
def test_ssh_host_that_is_not_known_or_has_another_key(fleet, tmp_path, sshd, content):
    known = tmp_path / "known_hosts"
    blob = sshd.user_key.with_name("authorized_keys").read_text().split()[1]
    host, port = sshd.address.split(":")
    known.write_text(content.format(address=f"[{host}]:{port}", other=blob))
    error = ssh_error(fleet, tmp_path, sshd, known_hosts=known)
    assert "host key is not in the known hosts file" in error.message


def test_ssh_key_that_the_server_does_not_know(fleet, tmp_path, sshd):
    error = ssh_error(fleet, tmp_path, sshd, ssh_key=fleet.key_file("mallory"))
    assert "refused the credentials" in error.message


def test_ssh_key_that_is_not_there(fleet, tmp_path, sshd):
    error = ssh_error(fleet, tmp_path, sshd, ssh_key=tmp_path / "none")
    assert "credentials" in error.message


def test_known_hosts_file_that_is_not_there(fleet, tmp_path):
    url = f"ssh://git@127.0.0.1:1{fleet.work}"
    mirrored = source(tmp_path, url, ssh_key=tmp_path / "key", known_hosts=tmp_path / "none")
    with pytest.raises(InputError, match="cannot read the known hosts file"):
        mirrored.fetch()
