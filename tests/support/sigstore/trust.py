"""What clients and verifiers are told: the trusted root, and where to sign."""

from typing import Any

from cryptography import x509

from tests.support.sigstore.ca import Authority, CertificateLog
from tests.support.sigstore.encoding import b64, der, spki
from tests.support.sigstore.log import TransparencyLog
from tests.support.sigstore.tsa import TimestampAuthority

_SINCE = {"start": "2020-01-01T00:00:00Z"}


def trusted_root(
    url: str,
    authority: Authority,
    certificates: CertificateLog,
    logs: list[TransparencyLog],
    timestamps: TimestampAuthority,
) -> dict[str, Any]:
    """The trusted root: all that a verifier needs, and no address that it asks."""
    return {
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "tlogs": [
            _log(url, log.key.public_key(), log.id, ed25519=log.version == 2) for log in logs
        ],
        "certificateAuthorities": [_authority(url, authority.chain)],
        "ctlogs": [_log(url, certificates.key.public_key(), certificates.id, ed25519=False)],
        "timestampAuthorities": [_authority(f"{url}/tsa", timestamps.chain)],
    }


def signing_config(url: str, rekor: int, *, timestamps: bool) -> dict[str, Any]:
    """Where a client signs."""
    some = {"selector": "ANY"}
    return {
        "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
        "caUrls": [_service(url)],
        "oidcUrls": [_service(f"{url}/oidc")],
        "rekorTlogUrls": [_service(url, rekor)],
        "rekorTlogConfig": some,
        "tsaUrls": [_service(f"{url}/tsa")] if timestamps else [],
        "tsaConfig": some,
    }


def client_trust_config(root: dict[str, Any], signing: dict[str, Any]) -> dict[str, Any]:
    """Both in one, as sigstore-python reads it."""
    media_type = "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json"
    return {"mediaType": media_type, "trustedRoot": root, "signingConfig": signing}


def _service(url: str, version: int = 1) -> dict[str, Any]:
    return {"url": url, "majorApiVersion": version, "validFor": _SINCE, "operator": "test"}


def _log(url: str, key: Any, key_id: bytes, *, ed25519: bool) -> dict[str, Any]:
    details = "PKIX_ED25519" if ed25519 else "PKIX_ECDSA_P256_SHA_256"
    public = {"rawBytes": b64(spki(key)), "keyDetails": details, "validFor": _SINCE}
    return {
        "baseUrl": url,
        "hashAlgorithm": "SHA2_256",
        "publicKey": public,
        "logId": {"keyId": b64(key_id)},
    }


def _authority(url: str, chain: list[x509.Certificate]) -> dict[str, Any]:
    certificates = [{"rawBytes": b64(der(certificate))} for certificate in chain]
    return {
        "subject": {"organization": "sigstore.test", "commonName": "test"},
        "uri": url,
        "certChain": {"certificates": certificates},
        "validFor": _SINCE,
    }
