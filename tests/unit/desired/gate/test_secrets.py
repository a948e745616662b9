"""Secrets are found and never shown; what is public by its nature is let off."""

import base64
import hashlib
import sys

import pytest

from reconciler.desired.gate import secrets
from reconciler.desired.gate.secrets import find_secrets
from reconciler.errors import ExitCode, MachineError
from tests.support.policy import base_files


def seeded(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()


HEX64 = seeded("hex").hex()
HEX40 = HEX64[:40]
B64 = base64.b64encode(seeded("token")).decode()
# Put together here, so that no scanner takes this file for a leak.
AWS = "AKIA" + "QWERTYUIOPASDFGH"
PEM = "-----BEGIN " + "OPENSSH PRIVATE KEY-----"

FOUND = {
    "an AWS key": (f"key: {AWS}", "AWS Access Key", AWS),
    "a private key": (f"{PEM}\nb3BlbnNzaC1rZXktdjEAAAAA\n", "Private Key", "b3BlbnNzaC1r"),
    "a password in YAML": ("password: hunter2hunter2", "Secret Keyword", "hunter2"),
    "a quoted password": ('db_password: "correct horse"', "Secret Keyword", "correct horse"),
    "a token without quotes": (f"value: {B64}", "Base64 High Entropy String", B64),
    "a quoted token": (f"value: '{B64}'", "Base64 High Entropy String", B64),
    "random hex": (f"value: {HEX64}", "Hex High Entropy String", HEX64),
    "credentials in a URL": (
        "repository: https://user:s3cretpw@example.org/x",
        "Basic Auth Credentials",
        "s3cretpw",
    ),
    "a secret at the end of a long line": (f"x: {'word ' * 900}{AWS}", "AWS Access Key", AWS),
    "a secret across the cut of a long line": (f"{'a ' * 985}{AWS}", "AWS Access Key", AWS),
}


@pytest.mark.parametrize("case", FOUND, ids=lambda c: c.replace(" ", "-"))
def test_a_secret_is_found_by_line_and_kind_and_not_shown(case: str) -> None:
    line, kind, secret = FOUND[case]
    remarks = find_secrets({"hosts/clinic/desk.yaml": f"id: desk\n{line}\n".encode()})
    assert any(kind in remark.message for remark in remarks)
    assert {(r.severity, r.where.file, r.where.line) for r in remarks} == {
        ("error", "hosts/clinic/desk.yaml", 2)
    }
    assert secret not in repr(remarks)


PUBLIC = {
    "a pin": f"RB-SSH-001: sha256:{HEX64}",
    "a fingerprint": f'ssh_keys: ["SHA256:{B64[:43]}"]',
    "a public key": f"alice@msp.example ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{B64[:43]} comment",
    "a hardware key": f"sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29t{B64}",
    "a commit": f"commit: {HEX40}",
    "a plan": f'plan: "{HEX64}"',
    "an action": f"uses: actions/checkout@{HEX40} # v4",
    "a lock file": f'"narHash": "sha256-{B64}",',
    "a store path": "/nix/store/0c3b5zqkz5mwsz1w8j4hl0r3pmqsyq1v-linux-6.12",
    "the key of a cache": f'publicKeys = [ "cache.example.org-1:{B64}" ];',
    "a WireGuard key": f'peer.publicKey = "{B64}";',
    "the name of a credential": 'secret = "credential:desk-hmac";',
    "a certificate": f"-----BEGIN CERTIFICATE-----\nMIIB{B64}\n{B64}\n-----END CERTIFICATE-----",
    "a public key block": f"-----BEGIN PUBLIC KEY-----\n{B64}\n-----END PUBLIC KEY-----",
    "a setting": "password_suffices: false",
    "a path": "password_file: /etc/restic/nightly.password",
    "an address": "address: 203.0.113.77 and 8.8.8.8",
}


@pytest.mark.parametrize("case", PUBLIC, ids=lambda c: c.replace(" ", "-"))
def test_what_is_public_is_no_secret(case: str) -> None:
    assert find_secrets({"x.yaml": PUBLIC[case].encode()}) == []


HIDDEN = {
    "a digest without its name": f"value: {HEX64}",
    "a token after a certificate": (
        f"-----BEGIN CERTIFICATE-----\nMIIB{B64}\n-----END CERTIFICATE-----\nvalue: {B64}"
    ),
    "a field inside a block": f"-----BEGIN CERTIFICATE-----\npassword: {B64[:30]}",
    "a private key inside a block": f"-----BEGIN CERTIFICATE-----\n{PEM}",
    "the secret key of a cache": f'"cache.example.org-1:{B64[:43]}{B64}"',
    "the private key of a tunnel": f'privateKey = "{B64}";',
    "a secret after the name of a credential": 'secret = "credential:x"; password = "hunter2h"',
    "a commit with something behind it": f"commit: {HEX40}\ntoken: {HEX40}",
}


@pytest.mark.parametrize("case", HIDDEN, ids=lambda c: c.replace(" ", "-"))
def test_a_public_form_does_not_hide_what_is_beside_it(case: str) -> None:
    assert find_secrets({"x.yaml": HIDDEN[case].encode()}) != []


def test_the_pinned_root_is_public_in_its_own_file_only() -> None:
    line = f'{{"rawBytes": "{B64}"}}'.encode()
    assert find_secrets({"policies/trust/trusted_root.json": line}) == []
    assert find_secrets({"policies/other.json": line}) != []


def test_an_incident_that_is_taken_over_is_public_in_such_a_file_only() -> None:
    line = f'incident: "{HEX64}"'
    path = "acknowledgements/clinic/incident-1.yaml"
    assert find_secrets({path: f"id: incident-1\n{line}\nby: alice\n".encode()}) == []
    assert find_secrets({path: f"note: {HEX64}\n".encode()}) != []
    assert find_secrets({path: f"{line} {HEX64}\n".encode()}) != []
    assert find_secrets({"hosts/clinic/desk.yaml": line.encode()}) != []


def test_what_a_promotion_names_is_public_in_such_a_file_only() -> None:
    path = "policies/promotions.yaml"
    item = (
        f'  - revision: "{HEX64}"\n    by:\n      - host: clinic/desk\n        sha256: "{HEX64}"\n'
    )
    assert find_secrets({path: item.encode()}) == []
    assert find_secrets({path: f'  - token: "{HEX64}"\n'.encode()}) != []
    assert find_secrets({"policies/other.yaml": item.encode()}) != []


def test_a_line_cannot_excuse_itself() -> None:
    line = b"password: hunter2hunter2  # pragma: allowlist secret\n"
    [remark] = find_secrets({"x.yaml": line})
    assert remark.severity == "warning"
    assert "the line says that it is none" in remark.message


def test_only_new_lines_count() -> None:
    data = b"password: hunter2hunter2\nid: x\npassword: other2other2\n"
    assert [r.where.line for r in find_secrets({"x": data}, {"x": {2, 3}})] == [3]
    assert find_secrets({"x": data}, {}) == []


def test_lines_are_counted_as_git_counts_them() -> None:
    data = "a: \u2028\x0bb\npassword: hunter2hunter2\n".encode()
    assert [r.where.line for r in find_secrets({"x": data}, {"x": {2}})] == [2]


def test_a_file_that_is_too_large_is_said() -> None:
    [remark] = find_secrets({"x": b"a" * (secrets.MAX_FILE + 1)})
    assert remark.severity == "warning"
    assert "not looked at" in remark.message


def test_there_is_an_end_to_what_is_listed() -> None:
    data = b"password: hunter2hunter2\n" * (secrets.MAX_FOUND + 5)
    remarks = find_secrets({"x.yaml": data})
    assert len(remarks) == secrets.MAX_FOUND + 1
    assert "more than can be listed" in remarks[-1].message


def test_bytes_that_are_no_text_are_looked_at() -> None:
    assert find_secrets({"x": b"\xff\xfe\x00 " + AWS.encode()}) != []


def test_a_fleet_has_none() -> None:
    assert find_secrets(base_files()) == []


def test_without_the_library_the_scan_is_an_error_that_names_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in [n for n in sys.modules if n.split(".")[0] == "detect_secrets"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "detect_secrets", None)
    with pytest.raises(MachineError) as missing:
        find_secrets({})
    assert missing.value.exit_code is ExitCode.MACHINE
    assert "reconciler[gate]" in missing.value.hint


@pytest.mark.parametrize("line", [f"{HEX64[:32]}:68:Clinic.Test", f"{HEX64[:32]}:*:Clinic.Test"])
def test_digests_of_viruses_are_public_in_a_list_of_viruses_alone(line: str) -> None:
    assert find_secrets({"ci/scanner/clinic.hdb": line.encode()}) == []
    assert find_secrets({"ci/scanner/clinic.txt": line.encode()}) != []
    assert find_secrets({"ci/scanner/clinic.hdb": f"token: {line}".encode()}) != []


def test_the_header_of_a_database_of_viruses_is_public() -> None:
    header = f"ClamAV-VDB:26 Nov 2026 04-29 +0000:1:1:216:{HEX64[:32]}:X:clinic:1795667366"
    assert find_secrets({"published/main.cld": header.encode()}) == []
    assert find_secrets({"published/main.cld": f"{header} {HEX64[:32]}".encode()}) != []
