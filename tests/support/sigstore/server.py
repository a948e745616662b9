"""The private Sigstore over HTTP, on one port of the loopback interface."""

import json
import threading
from base64 import b64decode
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import jwt
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from tests.support.sigstore.encoding import pem
from tests.support.sigstore.log import HOST, as_version_1

if TYPE_CHECKING:
    from tests.support.sigstore.rig import TestSigstore


class Refused(Exception):
    """The client gets a 4xx with this text."""


class Server:
    """Listens from construction to `close`."""

    def __init__(self, sigstore: "TestSigstore") -> None:
        handler = type("Bound", (Handler,), {"sigstore": sigstore})
        self._http = ThreadingHTTPServer((HOST, 0), handler)
        self._http.daemon_threads = True
        self.url = f"http://{HOST}:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


class Handler(BaseHTTPRequestHandler):
    """One request."""

    sigstore: "TestSigstore"
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        sigstore, issuer = self.sigstore, self.sigstore.issuer
        routes: dict[str, Callable[[], Any]] = {
            "/oidc/.well-known/openid-configuration": lambda: sigstore.identities.discovery(issuer),
            "/oidc/keys": sigstore.identities.keys,
            "/oidc/ambient": self._ambient,
        }
        self._respond(routes, 200)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        routes: dict[str, Callable[[], Any]] = {
            "/api/v2/signingCert": lambda: self._certificate(json.loads(body)),
            "/api/v1/log/entries": lambda: as_version_1(self.sigstore.log(1, json.loads(body))),
            "/api/v2/log/entries": lambda: self.sigstore.log(2, json.loads(body)),
            "/tsa": lambda: self.sigstore.timestamp(body),
        }
        # cosign insists on each of these, as the public services answer.
        self._respond(routes, 200 if self.path == "/api/v2/signingCert" else 201)

    def _respond(self, routes: dict[str, Callable[[], Any]], status: int) -> None:
        route = routes.get(self.path.partition("?")[0])
        try:
            answer = route() if route else None
        except (Refused, jwt.InvalidTokenError, InvalidSignature) as error:
            status, answer = 400, {"code": 400, "message": str(error) or type(error).__name__}
        self._send(404 if route is None else status, answer)

    def _send(self, status: int, answer: Any) -> None:
        stamped = isinstance(answer, bytes)
        data = answer if stamped else json.dumps(answer).encode()
        self.send_response(status)
        kind = "application/timestamp-reply" if stamped else "application/json"
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        if self.path == "/api/v1/log/entries" and status == 201:
            # cosign finds the entry in the answer by this.
            self.send_header("ETag", next(iter(answer)))
        self.end_headers()
        self.wfile.write(data)

    def _ambient(self) -> Any:
        if self.headers.get("Authorization") != "bearer ambient" or not self.sigstore.ambient:
            raise Refused("this job may not ask for a token")
        return {"value": self.sigstore.identity_token(**self.sigstore.ambient)}

    def _certificate(self, asked: Any) -> Any:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        token = token or asked.get("credentials", {}).get("oidcIdentityToken", "")
        claims = self.sigstore.identities.claims(token, self.sigstore.issuer)
        public = (
            _requested(asked) if "certificateSigningRequest" in asked else _proven(asked, claims)
        )
        chain = [pem(one).decode() for one in self.sigstore.certificate(public, claims)]
        return {"signedCertificateEmbeddedSct": {"chain": {"certificates": chain}}}


def _requested(asked: Any) -> ec.EllipticCurvePublicKey:
    request = x509.load_pem_x509_csr(b64decode(asked["certificateSigningRequest"]))
    if not request.is_signature_valid:
        raise Refused("the request is not signed by its own key")
    return _elliptic(request.public_key())


def _proven(asked: Any, claims: dict[str, Any]) -> ec.EllipticCurvePublicKey:
    """A key that signed the subject of the token, as cosign asks."""
    given = asked["publicKeyRequest"]
    public = _elliptic(load_pem_public_key(given["publicKey"]["content"].encode()))
    proof = b64decode(given["proofOfPossession"])
    subject = claims.get("email", claims["sub"])
    public.verify(proof, subject.encode(), ec.ECDSA(hashes.SHA256()))
    return public


def _elliptic(key: Any) -> ec.EllipticCurvePublicKey:
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise Refused("only elliptic curves")
    return key
