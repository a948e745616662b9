"""Signatures without a kept key: sigstore, made in CI and verified offline against a pinned root."""
