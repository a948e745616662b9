"""Signatures without a kept key: sigstore, made in CI and verified offline against a pinned root.

A job proves to a certificate authority who it is, gets a certificate of ten minutes, signs with it,
and a transparency log keeps the signature for all to see. What comes back is a *bundle*: a signed
statement (DSSE over in-toto) or a signature over a file. The public log learns digests, who signed
and when; what was signed stays where it was.

Rule 1: Verifying needs no network. What is trusted is one file, pinned beside what it is for, and a
    list of identities; there is no identity that is trusted by default.
Rule 2: A bundle is what was verified and nothing more: one form, no part twice, no part that nobody
    checked, and every part must be right, also one that could be missing.
Rule 3: The time is the latest that a log or a time-stamping authority signed, so it holds as long
    as one of them is honest. The certificate's own times, and a log's time without its signature,
    prove nothing.
Rule 4: Signing proves nothing to whoever asked for it: verify what came back before you keep it.

`bundles` is what others call; it imports the library, which is heavy and optional, when it is
needed: `signing` asks services, `checking` and `times` verify, `ambient` asks the CI system who
this job is.
"""
