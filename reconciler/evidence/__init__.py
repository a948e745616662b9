"""Evidence: canonical bytes, signatures, statements, and the audit of a whole history.

Nothing here does input or output: bytes go in, values or `reconciler.errors.EvidenceError` come
out, and an auditor can replay every judgement from the raw objects of a repository.
"""
