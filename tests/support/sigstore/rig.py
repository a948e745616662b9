"""The private Sigstore as tests use it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.sigstore import entries, trust
from tests.support.sigstore.ca import Authority, CertificateLog
from tests.support.sigstore.encoding import b64, der, pae, sha256
from tests.support.sigstore.faults import Fault, Faults
from tests.support.sigstore.log import HOST, TransparencyLog
from tests.support.sigstore.oidc import IdentityProvider
from tests.support.sigstore.server import Server
from tests.support.sigstore.tsa import TimestampAuthority


class TestSigstore:
    """A Sigstore of this test alone: its keys live in memory and end with it.

    Attributes:
        url: Where it listens, inside ``with``; before, a name that nobody serves.
        faults: What is wrong with what it hands out from now on; see `corrupted`.
        ambient: What a token says that a job of a CI system may ask for; see `ci_environment`.
    """

    __test__ = False  # Not a test class, whatever its name begins with.

    def __init__(self, directory: Path, issuer: str | None = None) -> None:
        """Make the keys.

        Args:
            directory: For files.
            issuer: What tokens and certificates call the identity provider; else its address here,
                which is no ``https`` one.
        """
        self._directory = directory
        self._issuer = issuer
        self.url = f"http://{HOST}"
        self.faults: Faults = set()
        self.ambient: dict[str, Any] = {}
        self.identities = IdentityProvider()
        self.certificates = CertificateLog()
        self.logs = {1: TransparencyLog(1), 2: TransparencyLog(2)}
        self._authorities = {False: Authority("test"), True: Authority("test")}
        self._timestamps = {
            strange: TimestampAuthority(directory / name)
            for strange, name in ((False, "tsa"), (True, "strange-tsa"))
        }
        self._server: Server | None = None

    def __enter__(self) -> Self:
        self._server = Server(self)
        self.url = self._server.url
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.close()

    @property
    def issuer(self) -> str:
        """Name of the identity provider, as tokens and certificates give it."""
        return self._issuer or f"{self.url}/oidc"

    @property
    def trusted_root(self) -> Path:
        """File that a verifier pins."""
        return self._write("trusted_root.json", self._root())

    def client_trust_config(self, *, rekor: int = 2, timestamps: bool = True) -> Path:
        """File that a signer is given.

        Args:
            rekor: Version of the transparency log that it uses.
            timestamps: Whether it knows of the time-stamping authority.
        """
        signing = trust.signing_config(self.url, rekor, timestamps=timestamps)
        return self._write(
            f"client_trust_config_{rekor}_{timestamps}.json",
            trust.client_trust_config(self._root(), signing),
        )

    def signing_config(self, *, rekor: int = 2, timestamps: bool = True) -> Path:
        """The part of the client's configuration that says where to sign, for cosign."""
        signing = trust.signing_config(self.url, rekor, timestamps=timestamps)
        return self._write(f"signing_config_{rekor}_{timestamps}.json", signing)

    def identity_token(self, subject: str, **claims: Any) -> str:
        """A token of this Sigstore's identity provider."""
        return self.identities.token(self.issuer, subject, claims)

    def ci_environment(self, subject: str, **claims: Any) -> dict[str, str]:
        """The variables by which a job on GitHub finds its identity, for a process of a test."""
        self.ambient = {"subject": subject, **claims}
        return {
            "GITHUB_ACTIONS": "true",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "ambient",
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.url}/oidc/ambient?api-version=2.0",
        }

    @contextmanager
    def corrupted(self, *faults: Fault) -> Iterator[None]:
        """Hand out things that are wrong in these ways."""
        self.faults = set(faults)
        try:
            yield
        finally:
            self.faults = set()

    def certificate(
        self, public: ec.EllipticCurvePublicKey, claims: dict[str, Any]
    ) -> list[x509.Certificate]:
        """A certificate for the identity in a token's claims, and its issuers."""
        authority = self._authorities[Fault.UNKNOWN_AUTHORITY in self.faults]
        leaf = authority.issue(public, claims, self.certificates, self.faults)
        return [leaf, *authority.chain]

    def log(self, version: int, proposed: Any) -> dict[str, Any]:
        """An entry of the transparency log for what a client proposes."""
        kind, body = entries.body(version, proposed)
        return self.logs[version].entry(kind, body, self.faults)

    def timestamp(self, request: bytes) -> bytes:
        """An answer to a time-stamp request as it comes over the wire."""
        return self._timestamp_authority().answer(request)

    def bundle(
        self,
        artifact: bytes,
        subject: str,
        *,
        rekor: int = 2,
        timestamps: bool = True,
        **claims: Any,
    ) -> str:
        """A bundle over a file, made in this process by the same parts that serve clients.

        Args:
            artifact: What is signed.
            subject: Who signs it.
            rekor: Version of the transparency log.
            timestamps: Whether it has a timestamp.
            **claims: What the token says besides.
        """
        job = self._job(subject, claims, rekor)
        signature = job.sign(artifact)
        digest = {"algorithm": "SHA2_256", "digest": b64(sha256(artifact))}
        content = {"messageSignature": {"messageDigest": digest, "signature": b64(signature)}}
        seen, seen_signature = artifact, signature
        if Fault.OTHER_ENTRY in self.faults:
            seen = b"another artifact"
            seen_signature = job.sign(seen)
        proposed = entries.proposal(rekor, job.leaf, sha256(seen), seen_signature)
        return self._bundle(job, proposed, signature, timestamps, content)

    def statement(
        self,
        payload: bytes,
        subject: str,
        *,
        rekor: int = 2,
        timestamps: bool = True,
        payload_type: str = "application/vnd.in-toto+json",
        **claims: Any,
    ) -> str:
        """A bundle around a statement (DSSE), made in this process.

        Args:
            payload: The statement; nobody looks whether it is one.
            subject: Who signs it.
            rekor: Version of the transparency log.
            timestamps: Whether it has a timestamp.
            payload_type: What the envelope says that the payload is.
            **claims: What the token says besides.
        """
        job = self._job(subject, claims, rekor)
        envelope, signature = job.envelope(payload, payload_type)
        seen, seen_signature = payload, signature
        if Fault.OTHER_ENTRY in self.faults:
            seen = b"another statement"
            _, seen_signature = job.envelope(seen, payload_type)
        proposed = entries.statement_proposal(rekor, job.leaf, seen, payload_type, seen_signature)
        return self._bundle(job, proposed, signature, timestamps, {"dsseEnvelope": envelope})

    def _job(self, subject: str, claims: dict[str, Any], rekor: int) -> "_Job":
        key = ec.generate_private_key(ec.SECP256R1())
        told = {"iss": self.issuer, "sub": subject, **claims}
        leaf, *_ = self.certificate(key.public_key(), told)
        return _Job(key, leaf, rekor)

    def _bundle(
        self,
        job: "_Job",
        proposed: Any,
        signature: bytes,
        timestamps: bool,
        content: dict[str, Any],
    ) -> str:
        material = {
            "certificate": {"rawBytes": b64(der(job.leaf))},
            "tlogEntries": [self.log(job.rekor, proposed)],
        }
        if timestamps and Fault.NO_TIMESTAMP not in self.faults:
            stamps = [{"signedTimestamp": b64(self._stamp(signature))}]
            material["timestampVerificationData"] = {"rfc3161Timestamps": stamps}
        form = "application/vnd.dev.sigstore.bundle.v0.3+json"
        return json.dumps({"mediaType": form, "verificationMaterial": material, **content})

    def _stamp(self, signature: bytes) -> bytes:
        other = Fault.TIMESTAMP_OF_OTHER_SIGNATURE in self.faults
        return self._timestamp_authority().stamp(b"another signature" if other else signature)

    def _timestamp_authority(self) -> TimestampAuthority:
        return self._timestamps[Fault.TIMESTAMP_BY_OTHER_AUTHORITY in self.faults]

    def _root(self) -> dict[str, Any]:
        return trust.trusted_root(
            self.url,
            self._authorities[False],
            self.certificates,
            list(self.logs.values()),
            self._timestamps[False],
        )

    def _write(self, name: str, value: Any) -> Path:
        path = self._directory / name
        path.write_text(json.dumps(value, indent=1))
        return path


@dataclass(frozen=True, slots=True)
class _Job:
    """A key of one signature, and the certificate that somebody got for it."""

    key: ec.EllipticCurvePrivateKey
    leaf: x509.Certificate
    rekor: int

    def sign(self, data: bytes) -> bytes:
        return self.key.sign(data, ec.ECDSA(hashes.SHA256()))

    def envelope(self, payload: bytes, payload_type: str) -> tuple[dict[str, Any], bytes]:
        signature = self.sign(pae(payload, payload_type))
        return {
            "payload": b64(payload),
            "payloadType": payload_type,
            "signatures": [{"sig": b64(signature)}],
        }, signature
