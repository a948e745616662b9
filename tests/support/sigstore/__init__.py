"""A private Sigstore on this machine: what the public one is made of, in small files.

    with TestSigstore(directory) as sigstore:
        token = sigstore.identity_token("ci@clinic.example")
        ...  # any Sigstore client, unmodified, with sigstore.client_trust_config()
        ...  # any verifier with sigstore.trusted_root

Identity provider (`oidc`), certificate authority and certificate log (`ca`), transparency log of
version 1 and 2 (`log`), time-stamping authority (`tsa`), joined in `rig`, served by `server`.
Without `with` nothing listens: `TestSigstore.bundle` makes bundles in this process. Each part can
be made to lie: see `Fault`.
"""

from tests.support.sigstore.faults import Fault
from tests.support.sigstore.rig import TestSigstore

__all__ = ["Fault", "TestSigstore"]
