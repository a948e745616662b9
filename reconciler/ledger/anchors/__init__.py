"""Time anchors: proof by others that a checkpoint was there no later than some moment.

A ledger's own times are its own word. An anchor is a stranger's: the SHA-256 of a checkpoint's
whole signed note (never the note) goes to OpenTimestamps calendars, which commit it to Bitcoin, and
to time stamping authorities (RFC 3161), which sign it. What they answer becomes a new entry.

Rule 1: A proof that does not fit raises `EvidenceError`; one that is pending, or cannot be checked
    with what is at hand, is a `TimeProof` without a time. Neither is ever read as success.
Rule 2: Proofs are parsed by the reference libraries; what they leave open is checked beside them.
Rule 3: Checking needs no network. Asking has a limit in bytes, a limit in time, and addresses that
    come from the settings, never from a proof.
Rule 4: That nobody answered is a value with an age; after some days it is an alarm.

`model` holds the nouns and `bodies` the entry; `ots_file`, `opentimestamps` and `bitcoin_headers`
are the way through Bitcoin, `rfc3161` the way through an authority; `plan` says what is due and
`keeper` does it; `judge` is what an audit asks.
"""
