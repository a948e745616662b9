"""HOW-TO-CHECK.md of a kit: how to check it with stock git, ssh-keygen, sha256sum and openssl.

Every block of commands on it is run by a test, on a kit, with nothing of ours on the machine.
What is filled in (names of branches, object ids, file names) is of closed forms, so that no text
of a ledger becomes a command.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reconciler.errors import EvidenceError

_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9@._/+:-]*")
_OID = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Checked:
    """A branch of the kit.

    Attributes:
        name: ``<client>/<host>``, which is also who signs on it.
        tip: Object id of its newest commit in the kit.
        entries: How many entries it has.
        at: When the newest one was recorded, ``20260331235900Z``.
    """

    name: str
    tip: str
    entries: int
    at: str


@dataclass(frozen=True, slots=True)
class Stamped:
    """A time stamp of an authority.

    Attributes:
        branch: The branch whose checkpoint was stamped.
        seq: The checkpoint entry.
        note: File with the note that was stamped.
        token: File with the answer of the authority.
        root: File with the certificates it must lead to; None if none were given.
        at: The time that it names, seconds since 1970; None if it could not be checked.
    """

    branch: str
    seq: int
    note: str
    token: str
    root: str | None
    at: int | None


def page(branches: Sequence[Checked], stamps: Sequence[Stamped] = ()) -> bytes:
    """The page.

    Args:
        branches: At least one; the first is an appliance's.
        stamps: Newest time stamp of each authority.

    Raises:
        EvidenceError: A name cannot be part of a command.
    """
    _check(branches, stamps)
    first = branches[0]
    parts = [
        _INTRODUCTION,
        _FILES,
        _KEYS,
        _CLONE.replace("BRANCH", first.name).replace("ENTRIES", str(first.entries)),
        *(_counted(branch) for branch in branches),
        _ONE.replace("BRANCH", first.name).replace("TIP", first.tip).replace("TIME", first.at),
        _CHAIN.replace("BRANCH", first.name),
        *_times(stamps),
        _REST,
    ]
    return "\n".join(parts).encode()


_INTRODUCTION = """\
# How to check this kit

With programs that you have from elsewhere: git, ssh-keygen, sha256sum, sed, awk, grep and, for
time stamps, openssl. No network is needed. Open a shell in the directory of this file, and go
through the blocks in order: each uses what the ones before it made. They write into a new
temporary directory, not into the kit.
"""

_FILES = """\
## 1. The files are those of the manifest

```sh
sed 's/{"name":/\\n&/g' manifest.json \\
  | sed -nE 's/^\\{"name":"([^"]*)","sha256":"([0-9a-f]{64})".*/\\2  \\1/p' \\
  | sha256sum --check --quiet && echo "all files are as listed" || echo "files DIFFER"
```

That shows damage on the way, not forgery: whoever can change a file can change the manifest. What
follows is what counts.
"""

_KEYS = """\
## 2. The keys are the appliances'

`keys/allowed_signers` says who may sign; everything below rests on it. It came with the kit, so
compare it with what the clinic, or a person at the provider whom you know, tells you by another
way. Fingerprints:

```sh
grep -oE 'ssh-ed25519 [A-Za-z0-9+/=]+' keys/allowed_signers | ssh-keygen -l -f -
```

The same, with names and windows, is in `keys/fingerprints.txt`.
"""

_CLONE = """\
## 3. The history is whole and signed

```sh
work=$(mktemp -d)
git clone --quiet --bare evidence.bundle "$work/evidence.git"
cd "$work/evidence.git" && git config gpg.ssh.allowedSignersFile "$OLDPWD/keys/allowed_signers"
cd "$OLDPWD"
git -C "$work/evidence.git" fsck --strict
git -C "$work/evidence.git" log -n 3 --show-signature BRANCH --
```

`Good "git" signature for BRANCH` must stand at each commit. For all of them, counted: `G` is a
good signature, and the name is whose it is. There must be one line, with the number of entries.
"""

_COUNT = """\
```sh
# ENTRIES times: G BRANCH
git -C "$work/evidence.git" log --format='%G? %GS' BRANCH -- | sort | uniq -c
```
"""

_ONE = """\
## 4. One signature by hand

What git does there, step by step, for the newest entry. `commit.payload` is what was signed: the
commit without the signature in it. The time is the commit's own, because a key is valid at the
time of signing.

```sh
git -C "$work/evidence.git" cat-file commit TIP > "$work/commit"
sed -n '/^gpgsig /,/^ -----END SSH SIGNATURE-----$/p' "$work/commit" \\
  | sed 's/^gpgsig //; s/^ //' > "$work/commit.sig"
sed '/^gpgsig /,/^ -----END SSH SIGNATURE-----$/d' "$work/commit" > "$work/commit.payload"
ssh-keygen -Y verify -f keys/allowed_signers -I BRANCH -n git -Overify-time=TIME \\
  -s "$work/commit.sig" < "$work/commit.payload"
```
"""

_CHAIN = """\
## 5. Each entry names the one before it

An entry is a statement: the payload of the file that its commit adds or, if it adds none, the last
line of the commit's message. Its SHA-256 is what the next entry has as `previous`. For the newest
20 (leave out `-n 20` for all; that takes a while). What it ends with is the SHA-256 of the newest
statement; `BROKEN` means what it says:

```sh
statement() {
  path=$(git -C "$work/evidence.git" diff-tree --root -r --no-commit-id --name-only "$1")
  if [ -n "$path" ]; then
    git -C "$work/evidence.git" cat-file blob "$1:$path" \\
      | sed -E 's/.*"payload":"([^"]*)".*/\\1/' | base64 -d
  else
    git -C "$work/evidence.git" log -1 --format=%b "$1" -- | tr -d '\\n'
  fi
}
before=
for commit in $(git -C "$work/evidence.git" rev-list -n 20 --reverse BRANCH --); do
  said=$(statement "$commit" | grep -oE '"previous":(\\{"sha256":)?"[0-9a-f]{64}"' \\
    | tail -n 1 | grep -oE '[0-9a-f]{64}' || true)
  if [ -n "$before" ] && [ "$said" != "$before" ]; then before=BROKEN; break; fi
  before=$(statement "$commit" | sha256sum | cut -d ' ' -f 1)
done
echo "the chain is $before at $commit"
```

To read a statement: `statement COMMIT`. The tables of this kit name entries by commit and SHA-256.
"""

_STAMP = """\
```sh
openssl ts -verify -data NOTE \\
  -in TOKEN \\
  -CAfile ROOT -attime SECONDS
openssl ts -reply -in TOKEN -text | grep 'Time stamp:'
note=$(awk '{printf "%s\\\\n", $0}' NOTE)
entry=$(git -C "$work/evidence.git" log -1 --format=%H --grep='^checkpoint SEQ on ' BRANCH --)
statement "$entry" | grep -qF "\\"note\\":\\"$note\\"" \\
  && echo "entry SEQ holds this note" || echo "entry SEQ does NOT hold this note"
```
"""

_TIMES = """\
## 6. When it was there at the latest

A time stamping authority signed the SHA-256 of a checkpoint's note; the note is in an entry of the
ledger and names the root of all entries before it. (`-attime` has the certificate judged as of
that time: it may have ended since.) The certificates came with the kit: compare them with the
authority's own.
"""

_NO_TIMES = """\
## 6. When it was there at the latest

This kit holds no time stamp of an authority that openssl could check with what is in it. Times in
it are those of the appliance's own clock.
"""

_UNROOTED = """\
`TOKEN` is a time stamp of the note in
`NOTE`; it could not be checked with what was given.
"""

_REST = """\
## 7. What these tools do not notice

Git accepts unsigned headers in a commit, an entry moved to another branch, a key used after its
position, a number left out, an act without an announced intent. What the whole audit says is in
`verification.txt`; to run it yourself (`--roots` where the kit has that folder, and `--seen` once
for each note of a witness in `checkpoints/`):

```text
reconciler verify evidence.bundle --signers keys/allowed_signers --roots roots
```

Proofs of OpenTimestamps (`*.ots` in `checkpoints/`) are checked with `ots verify -f NOTE PROOF`
and a Bitcoin node. `DISCLOSURES.md` says what is known to be missing.
"""


def _counted(branch: Checked) -> str:
    return _COUNT.replace("BRANCH", branch.name).replace("ENTRIES", str(branch.entries))


def _times(stamps: Sequence[Stamped]) -> Iterable[str]:
    if not any(stamp.root is not None and stamp.at is not None for stamp in stamps):
        yield _NO_TIMES
    else:
        yield _TIMES
    for stamp in stamps:
        form = _UNROOTED if stamp.root is None or stamp.at is None else _STAMP
        yield (
            form.replace("NOTE", stamp.note)
            .replace("TOKEN", stamp.token)
            .replace("ROOT", stamp.root or "")
            .replace("SECONDS", str(stamp.at))
            .replace("SEQ", str(stamp.seq))
            .replace("BRANCH", stamp.branch)
        )


def _check(branches: Sequence[Checked], stamps: Sequence[Stamped]) -> None:
    words = [word for branch in branches for word in (branch.name, branch.at)]
    words += [word for s in stamps for word in (s.branch, s.note, s.token, s.root or "none")]
    wrong = [word for word in words if not _SAFE.fullmatch(word)]
    wrong += [branch.tip for branch in branches if not _OID.fullmatch(branch.tip)]
    if wrong:
        message = f"{wrong[0]!r:.80} cannot be part of a command"
        raise EvidenceError(
            message, hint="Names of clients, hosts and authorities are plain words."
        )
