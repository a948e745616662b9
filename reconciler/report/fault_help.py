"""What each kind of fault means, and what to do about it: one sentence each, for every report."""

from collections.abc import Mapping

from reconciler.evidence.fault import Code

MEANING: Mapping[Code, tuple[str, str]] = {
    Code.NO_LEDGER: (
        "There is no ledger where one was expected.",
        "Compare with the remote, a witness and the copies: a branch that is gone was removed.",
    ),
    Code.OBJECT: (
        "A Git object is missing, damaged, or not what its name says.",
        "Fetch it from another clone: objects are named by their content.",
    ),
    Code.TOO_MANY: (
        "There are more faults than are listed.",
        "Treat the whole history as not proven, and begin with the oldest fault.",
    ),
    Code.UNKNOWN_REF: (
        "A reference is there that is no part of the ledger.",
        "See what it points to; tags, replacements and other branches do not belong here.",
    ),
    Code.COMMIT_FORM: (
        "A commit has other headers, another order or another form than an entry's.",
        "Unsigned content may hide in such a commit: compare it with another clone.",
    ),
    Code.COMMIT_SIGNATURE: (
        "The signature of a commit is missing or does not verify.",
        "What it says was not said by the appliance: find out who wrote it.",
    ),
    Code.COMMIT_CONTENT: (
        "Author, committer or message of a commit do not agree with its entry.",
        "The entry itself is signed; whoever wrote the commit changed what is around it.",
    ),
    Code.KEY: (
        "A key signed that may not sign at that place or time, or is not listed.",
        "Ask for the fingerprint by another way, and see its window and positions.",
    ),
    Code.RETIRED_KEY: (
        "A key signed after another one had taken over from it.",
        "Whoever still has the old key wrote this: treat that key as stolen.",
    ),
    Code.PRINCIPAL: (
        "An entry is signed by somebody else than the appliance whose branch it is on.",
        "Another appliance's key was used, or an entry was moved between branches.",
    ),
    Code.TIME: (
        "Time goes backwards from one entry to the next.",
        "See the clock of the appliance; a history put together later shows this, too.",
    ),
    Code.TREE: (
        "A directory in a commit cannot be read, or is not strict.",
        "Compare with another clone.",
    ),
    Code.NOT_APPEND_ONLY: (
        "A commit does something else than to add the one file of its entry.",
        "Something was changed or removed: compare with a copy made before.",
    ),
    Code.PATH: (
        "The file of an entry is not where its date and number say.",
        "An entry was moved or renamed after it was made.",
    ),
    Code.ENVELOPE: (
        "The envelope of an entry does not verify.",
        "Its content was changed, or another key signed it.",
    ),
    Code.STATEMENT: (
        "A statement is not of the documented form.",
        "See docs/evidence-format.md; nothing in it is counted.",
    ),
    Code.BRANCH: (
        "An entry says that it belongs to another branch.",
        "It was taken over from another appliance.",
    ),
    Code.SEQUENCE: (
        "The numbers of entries do not follow one another.",
        "Entries were dropped, repeated or put in another order.",
    ),
    Code.CHAIN: (
        "An entry does not name the SHA-256 of the one before it.",
        "What is before it is not what was there when it was signed.",
    ),
    Code.GENESIS: (
        "The history does not begin with a proven first entry.",
        "The oldest part was cut off, or the ledger was begun anew.",
    ),
    Code.INTENT: (
        "Intents and outcomes do not fit together.",
        "An act without an announced intent, or an intent that was closed twice.",
    ),
    Code.BASE: (
        "An entry without a file does not refer to the newest one with a file.",
        "It was taken from somewhere else, or something before it was dropped.",
    ),
    Code.GAP: (
        "There is a time without runs that the appliance did not declare.",
        "Ask what happened then; nothing was observed.",
    ),
    Code.LOG: (
        "An entry names another root for the log before it than is shown here.",
        "The history before it was changed after it was signed.",
    ),
    Code.REPEATED: (
        "A run says that it repeats a run that it does not follow.",
        "What it saw is not known.",
    ),
    Code.KEY_CHANGE: (
        "A change of keys is not proven or not authorized.",
        "Treat what the new key signed as not proven.",
    ),
    Code.CHECKPOINT: (
        "A checkpoint does not verify, or names another log.",
        "Compare with what witnesses have seen.",
    ),
    Code.COSIGNATURE: (
        "What a witness is said to have signed does not verify.",
        "Ask the witness for its own ledger.",
    ),
    Code.SHORTER: (
        "A witness or a copy has seen more entries than are shown here.",
        "The newest entries were cut off, or this is an old copy: ask for the rest.",
    ),
    Code.EQUIVOCATION: (
        "A witness or a copy has seen another history of the same length.",
        "There are two histories: the owner of the key, or a thief, wrote one of them later.",
    ),
    Code.ANCHOR: (
        "A proof of time is false, or is of something else than it says.",
        "Do not count it; see the proofs before and after it.",
    ),
    Code.COPY: (
        "The copies in the object store are not as recorded.",
        "See docs/retention.md: each way to tamper has its own message.",
    ),
    Code.CACHE: (
        "What an earlier audit remembered does not hold.",
        "Audit without it; if the ledger verifies then, the file was changed.",
    ),
    Code.BODY: (
        "The body of an entry does not say what its kind says.",
        "It was written by another version or by hand.",
    ),
    Code.FILE: (
        "A file of the repository's store is damaged or not as it should be.",
        "Restore it from a clone.",
    ),
    Code.STRAY_FILE: (
        "There is a file in the repository's store that does not belong there.",
        "See what it is before it is removed.",
    ),
}
