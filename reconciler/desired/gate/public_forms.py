"""What looks random in a fleet repository and is public by its nature: not secrets.

Rule 1: A value is let off only in the place that makes it public: a digest after ``sha256:``, a
commit id under a field that holds one, the fingerprint of an incident that somebody takes over,
what a promotion names.
The same characters elsewhere are looked at.
Rule 2: A block is public by its header (a certificate, a public key, a signature); one that says
PRIVATE never is.
"""

import re
from collections.abc import Iterator, Sequence

MASK = " "

_B64 = r"[A-Za-z0-9+/]"
_FORMS = re.compile(
    "|".join(
        (
            # Pins and checksums: approved.yaml, flake.lock, container images.
            r"\bsha(?:256|384|512)[:-](?:[0-9a-f]{64,128}\b|" + _B64 + r"{43,88}={0,2})",
            # Fingerprints and public keys of SSH; the key begins with its own type.
            r"\bSHA256:" + _B64 + r"{43}(?!" + _B64 + ")",
            r"\b(?:ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp[0-9]+) +AAAA" + _B64 + r"{20,1000}={0,2}",
            r"\bsk-(?:ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com +AAAA"
            + _B64
            + r"{20,400}={0,2}",
            # Ids under the fields of our own formats and of lock files.
            r"""["']?\b(?:commit|tree|base|head|to|rev|plan|digest|keyid|files_sha256|nar_sha256"""
            r"""|commit_sha256)["']? *[:=] *["']?[0-9a-f]{40}(?:[0-9a-f]{24})?\b""",
            # An action, pinned to a commit.
            r"\buses: *[\w./-]+@[0-9a-f]{40}\b",
            r"/nix/store/[0-9a-z]{32}-",
            # The key of a binary cache with its name, and what a field calls public: WireGuard's.
            r"\b[\w.-]+-[0-9]+:" + _B64 + r"{43}=(?![\w+/=])",
            r"""\b(?:publicKey|public_key)["']? *[:=] *["']?""" + _B64 + r"{43}=(?![\w+/=])",
            # The name of a credential, where settings would have a secret.
            r"""["']?\bcredential:[A-Za-z0-9][A-Za-z0-9._-]{0,99}["']?""",
        )
    )
)
_BEGIN = re.compile(
    r"-----BEGIN (?P<what>CERTIFICATE|PUBLIC KEY|SSH SIGNATURE|PKCS7|CERTIFICATE REQUEST)-----"
)
_TAKEN_OVER = "acknowledgements/"
_FINGERPRINT = re.compile(r"""^incident: *["']?[0-9a-f]{64}["']? *$""")
_PROMOTIONS = "policies/promotions.yaml"
_PROMOTED = re.compile(r"""^ *(?:- )?(?:revision|sha256): *["']?[0-9a-f]{64}["']? *$""")
# ClamAV: the digest of a database in its header, and digests of known files, each with its size.
_VIRUS_HEADER = re.compile(r"^ClamAV-VDB:[^:]*(?::[0-9]+){3}:[0-9a-f]{32}:")
_VIRUS_FILES = (".hdb", ".hsb")
_VIRUS = re.compile(r"^(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}):(?:[0-9]+|\*):[\w.-]+$")
_ROOT = "policies/trust/trusted_root.json"
_ROOT_FIELDS = re.compile(r'"(?:rawBytes|keyId|checksum)": *"[A-Za-z0-9+/=_-]+"')


def masked(path: str, lines: Sequence[str]) -> Iterator[str]:
    """The lines of a file with what is public taken out of them, one for one."""
    block = None
    for line in lines:
        begin = _BEGIN.search(line)
        if block is not None:
            ends = f"-----END {block}-----" in line
            yield MASK if _is_body(line) or ends else line
            block = None if ends or not _is_body(line) else block
            continue
        block = begin["what"] if begin and f"-----END {begin['what']}-----" not in line else None
        shown = _ROOT_FIELDS.sub(MASK, line) if path == _ROOT else line
        shown = _FINGERPRINT.sub(MASK, shown) if path.startswith(_TAKEN_OVER) else shown
        shown = _PROMOTED.sub(MASK, shown) if path == _PROMOTIONS else shown
        shown = _VIRUS.sub(MASK, shown) if path.endswith(_VIRUS_FILES) else shown
        shown = _VIRUS_HEADER.sub(MASK, shown)
        yield _FORMS.sub(MASK, shown)


def _is_body(line: str) -> bool:
    return re.fullmatch(r"[ \t>|#*]*[A-Za-z0-9+/=]*[ \t\r]*", line) is not None
