"""A second verifier of evidence, written from docs/evidence-format.md alone: none of our code.

Reads a repository through stock git, needs the standard library and `cryptography`:

    python second_verifier.py REPOSITORY ALLOWED_SIGNERS

It leaves out what the document says a short verifier may leave out. It is slow: plain comes first.
"""

import hashlib
import json
import re
import subprocess
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

LABEL, HEX64, HEX40 = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", "[0-9a-f]{64}", "[0-9a-f]{40}"
SAFE, URN = 2**53 - 1, "urn:reconciler:attestation:"
KINDS = "genesis run heartbeat intent outcome gap refusal key-change annotation checkpoint "
KINDS += "cosignature anchor copy advice ticket system"
COMMIT = re.compile(
    rb"(tree ([0-9a-f]{40})\n(?:parent [0-9a-f]{40}\n)?author ([^\n]*)\ncommitter ([^\n]*)\n)"
    rb"(?:gpgsig (-----BEGIN SSH SIGNATURE-----\n(?: [^\n]+\n)+ -----END SSH SIGNATURE-----)\n)?\n"
)
PERSON = r"[^<>\n\0]{1,256} <[^<>\n\0]{0,256}> (0|[1-9][0-9]{0,10}) \+0000"
NODE = re.compile(rb"(100644|40000) ([A-Za-z0-9_-][A-Za-z0-9._-]{0,63})\0(.{20})", re.DOTALL)
SIGNED = re.compile(r"\u2014 ([^\s+]{1,256}) ([A-Za-z0-9+/=]+)")


TIMES: tuple[tuple[str, Any], ...] = (("ticks", [0]), ("ago_ms", 0))


class Refused(Exception):
    """Something does not hold; the code says what."""


class Entry(NamedTuple):
    commit: str
    public: bytes
    digest: bytes
    said: dict[str, Any]
    at: datetime


def need(holds: object, code: str = "statement") -> None:
    if not holds:
        raise Refused(code)


def fits(pattern: str, value: object) -> bool:
    return type(value) is str and re.fullmatch(pattern, value, re.ASCII) is not None


def whole(value: object, low: int, high: int = SAFE) -> bool:
    return type(value) is int and low <= value <= high


def members(value: Any, names: str, code: str = "statement") -> list[Any]:
    """The values of exactly these members, in this order."""
    need(type(value) is dict and sorted(value) == sorted(names.split()), code)
    return [value[name] for name in names.split()]


def un64(text: Any, code: str) -> bytes:
    try:
        need(b64encode(b64decode(text)).decode() == text, code)
    except (ValueError, TypeError):
        raise Refused(code) from None
    return b64decode(text)


def dump(value: Any) -> bytes:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


def plain(value: Any, depth: int = 1) -> bool:
    inner = list(value.values()) if type(value) is dict else value if type(value) is list else []
    keys = value if type(value) is dict else ()
    fine = type(value) in (dict, list, str, bool, type(None)) or whole(value, -SAFE)
    return (
        depth <= 32 and fine and "".join(keys).isascii() and all(plain(v, depth + 1) for v in inner)
    )


def canonical(data: bytes, limit: int = 4 * 1024 * 1024) -> Any:
    try:
        value = json.loads(data.decode())
        need(len(data) <= limit and plain(value) and dump(value) == data)
    except (ValueError, RecursionError):
        raise Refused("statement") from None
    return value


# Signatures and keys


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def key_of(text: Any, code: str) -> bytes:
    public = un64(str(text).removeprefix("ssh-ed25519 "), code)[-32:]
    blob = string(b"ssh-ed25519") + string(public)
    need(text == f"ssh-ed25519 {b64encode(blob).decode()}", code)
    return public


def signed(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def sshsig(armor: Any, message: bytes, namespace: str, code: str) -> bytes:
    """The key that signed."""
    blob = un64("".join(str(armor).split("\n")[1:-1]), code)
    public, signature = blob[29 + 4 : 29 + 36], blob[-64:]
    uses = string(namespace.encode()) + string(b"") + string(b"sha512")
    key, made = (string(b"ssh-ed25519") + string(item) for item in (public, signature))
    text = b64encode(b"SSHSIG\0\0\0\1" + string(key) + uses + string(made)).decode()
    lines = "\n".join(text[n : n + 70] for n in range(0, len(text), 70))
    need(armor == f"-----BEGIN SSH SIGNATURE-----\n{lines}\n-----END SSH SIGNATURE-----", code)
    digest = hashlib.sha512(message).digest()
    need(signed(public, signature, b"SSHSIG" + uses + string(digest)), code)
    return public


class Signer(NamedTuple):
    principal: str
    public: bytes
    namespaces: list[str] | None
    after: datetime | None
    before: datetime | None
    numbers: tuple[int, int] | None


LINE = re.compile(
    r"([A-Za-z0-9@._+/-]{1,128}) (?:(\S+=\S+) )?(ssh-ed25519 \S+)"
    r"(?: ledger:(0|[1-9]\d{0,7})-(0|[1-9]\d{0,7})?)?(?: (.*))?"
)
OPTION = re.compile(r'(namespaces|valid-after|valid-before)="([\w@./,-]+)"')


def trusted(text: str) -> list[Signer]:
    """The trust file, if it is written plainly; whatever is raised, it must not be used."""
    lines = [line for line in text.split("\n") if line and line[0] != "#"]
    signers = [signer(line, LINE.fullmatch(line)) for line in lines]
    for one in signers:
        names = {other.principal for other in signers if other.public == one.public}
        need(names == {one.principal}, "trust file")
    return signers


def signer(line: str, match: re.Match[str] | None) -> Signer:
    principal, written, key, first, last, comment = match.groups() if match else [""] * 6
    pairs = OPTION.findall(written or "")
    options = dict(pairs)
    need(principal and "ledger" not in (comment or "").lower(), line)
    need(",".join(f'{n}="{v}"' for n, v in pairs) == (written or ""), line)
    need(len(options) == len(pairs), line)
    names = options["namespaces"].split(",") if "namespaces" in options else None
    after, before = (window(options.get(name)) for name in ("valid-after", "valid-before"))
    numbers = (int(first), int(last or SAFE)) if first else None
    return Signer(principal, key_of(key, line), names, after, before, numbers)


def window(text: str | None) -> datetime | None:
    need(text is None or fits(r"\d{8}(\d{4}(\d\d)?)?Z", text), "trust file")
    form = "%Y%m%d%H%M%S"
    return datetime.strptime(text[:-1].ljust(14, "0"), form).replace(tzinfo=UTC) if text else None


def listed(
    signers: list[Signer], public: bytes, use: str, at: datetime, seq: int | None = None
) -> Signer:
    for one in signers:
        inside = (one.after or at) <= at <= (one.before or at)
        number = seq is not None and one.numbers and one.numbers[0] <= seq <= one.numbers[1]
        named = one.namespaces is None or use in one.namespaces
        if one.public == public and inside and named and (number or not one.numbers):
            return one
    raise Refused("key")


# Git


class Git:
    def __init__(self, path: Path) -> None:
        git = ["git", "--no-replace-objects", "-C", str(path)]
        listing = [*git, "for-each-ref", "--format=%(refname) %(objectname)"]
        lines = subprocess.run(listing, capture_output=True, check=True).stdout.decode()
        self.refs = dict(line.split(" ") for line in lines.splitlines())
        pipe = subprocess.PIPE
        self.batch = subprocess.Popen([*git, "cat-file", "--batch"], stdin=pipe, stdout=pipe)

    def read(self, kind: str, oid: str) -> bytes:
        asked, answer = self.batch.stdin, self.batch.stdout
        assert asked is not None
        assert answer is not None
        asked.write(f"{oid}\n".encode())
        asked.flush()
        head = answer.readline().split()
        need(head[-1] != b"missing", "object")
        raw = answer.read(int(head[2]) + 1)[:-1]
        framed = b"%b %d\0%b" % (kind.encode(), len(raw), raw)
        need(hashlib.sha1(framed).hexdigest() == oid and len(raw) <= 8 * 1024 * 1024, "object")
        return raw

    def tree(self, oid: str) -> dict[bytes, tuple[bytes, str]]:
        try:
            raw = self.read("tree", oid)
        except Refused:
            raise Refused("tree") from None
        found = NODE.findall(raw)
        need(found and b"".join(b"%b %b\0%b" % node for node in found) == raw, "tree")
        keys = [name + b"/" * (mode == b"40000") for mode, name, _ in found]
        need(keys == sorted(keys) and len({name for _, name, _ in found}) == len(keys), "tree")
        return {name: (mode, inner.hex()) for mode, name, inner in found}

    def added(self, old: str | None, new: str, path: str = "") -> dict[str, str]:
        """Files that a tree has more than an older one, with which it must else be the same."""
        after, before = self.tree(new), self.tree(old) if old else {}
        need(before.keys() <= after.keys(), "not-append-only")
        found: dict[str, str] = {}
        for name, (mode, oid) in after.items():
            was, full = before.get(name), path + name.decode()
            if was != (mode, oid):
                need(was is None or was[0] == mode == b"40000", "not-append-only")
                inner = mode == b"40000" and self.added(was and was[1], oid, f"{full}/")
                found |= inner or {full: oid}
        return found


# Statements


def bag(hashes: list[bytes]) -> bytes:
    at = hashes[-1] if hashes else sha256(b"")
    for left in reversed(hashes[:-1]):
        at = sha256(b"\1" + left + at)
    return at


def root(digests: list[bytes]) -> tuple[bytes, list[bytes]]:
    """The root of a log, and the roots of its complete subtrees."""
    stack: list[bytes] = []
    for number, digest in enumerate(digests):
        stack.append(sha256(b"\0" + digest))
        while number & 1:
            right = stack.pop()
            stack[-1] = sha256(b"\1" + stack[-1] + right)
            number >>= 1
    return bag(stack), stack


def reference(value: Any) -> Any:
    seq, digest = members(value, "seq sha256")
    need(whole(seq, 0, 99_999_999) and fits(HEX64, digest))
    return seq


def common(said: dict[str, Any]) -> dict[str, Any]:
    source, *flags = members(said["clock"], "source synchronised offsetUs uptimeS ageMs")
    need(fits("[a-z][a-z0-9-]{0,31}", source) and type(flags[0]) in (bool, type(None)))
    need(all(n is None or whole(n, -SAFE) for n in flags[1:3]) and whole(flags[3], 0))
    place = re.fullmatch(f"refs/heads/(?P<client>{LABEL})/(?P<host>{LABEL})", str(said["ref"]))
    need(place and whole(said["seq"], 0, 99_999_999) and type(said["body"]) is dict)
    need((said["kind"] == "genesis") == (said["previous"] is None) == (said["seq"] == 0))
    need(said["previous"] is None or fits(HEX64, said["previous"]))
    need(fits(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", said["at"]))
    try:
        said["time"] = datetime.fromisoformat(said["at"])
    except ValueError:
        raise Refused("statement") from None
    return said | (place.groupdict() if place else {})


def with_file(data: bytes) -> dict[str, Any]:
    type_, said, urn, subject = members(canonical(data), "_type predicate predicateType subject")
    names = "client host ref bootId tool log closes open previous recordedAt body clock seq"
    client, host, ref, boot, tool, log, closes, open_, previous, at, *_ = members(said, names)
    kind, seq = str(urn).removeprefix(URN).removesuffix(":v1"), said["seq"]
    need(urn == f"{URN}{kind}:v1" and kind in KINDS.split())
    need(type_ == "https://in-toto.io/Statement/v1" and ref == f"refs/heads/{client}/{host}")
    need(fits("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", boot) and type(tool) is dict)
    need(1 <= len(tool) <= 32 and all(fits("[a-z0-9][a-z0-9._-]{0,63}", name) for name in tool))
    need(all(fits("[!-~]{1,128}", version) for version in tool.values()))
    before = None if previous is None else members(previous, "sha256")[0]
    read = common(said | {"kind": kind, "previous": before, "at": at, "base": None})
    size, claimed, subtrees = members(log, "size root subtrees")
    need(whole(size, seq, seq) and type(subtrees) is list and len(subtrees) == seq.bit_count())
    need(all(fits(HEX64, item) for item in subtrees))
    need(bag([bytes.fromhex(item) for item in subtrees]).hex() == claimed)
    need((closes is not None) == (kind == "outcome") and type(open_) is list and len(open_) <= 256)
    numbers = [reference(item) for item in open_]
    need(numbers == sorted(set(numbers)) and all(n < seq for n in numbers))
    need(closes is None or reference(closes) >= 0)
    need(type(subject) is list and len(subject) == 1)
    name, digest = members(subject[0], "name digest")
    if name == "fleet":
        commit, policy = members(digest, "gitCommit sha256")
        need(fits(HEX40, commit) and fits(HEX64, policy))
    else:
        need(name == "ledger" and digest == {"sha256": sha256(ref.encode()).hex()})
    return read


def slim(line: bytes) -> dict[str, Any]:
    said = canonical(line, 16 * 1024)
    members(said, "at base body clock kind previous ref seq")
    read = common(said | {"closes": None, "open": [], "log": None})
    need(said["kind"] in ("run", "heartbeat", "checkpoint") and said["seq"] > 0)
    need(whole(said["base"], 0, said["seq"] - 1))
    return read


# One ledger


class Ledger:
    """Entries oldest first, and what is wrong: code and where."""

    def __init__(self, git: Git, ref: str, signers: list[Signer]) -> None:
        self.git, self.ref, self.signers = git, ref, signers
        self.name, self.tip = ref.removeprefix("refs/heads/"), git.refs[ref]
        self.entries: list[Entry] = []
        self.faults: list[tuple[str, str]] = []
        commits = self.walk(self.tip)
        for oid, raw, before in commits:
            self.attempt(oid, self.examine, oid, raw, before)
        for old, new in pairwise(self.entries):
            self.attempt(new.commit, self.follow, old, new)
        first = self.entries[0].said["seq"] if self.entries else None
        self.whole = first == 0 and len(self.entries) == len(commits)
        self.key, self.used = b"", {b""}
        self.run: int | None = None
        self.promise: int | None = None
        self.last: int | None = None
        for entry in self.entries:
            if self.whole:
                self.attempt(entry.commit, self.keys, entry)
            self.attempt(entry.commit, self.times, entry)
        digests = [entry.digest for entry in self.entries]
        for entry in self.entries if self.whole else ():
            log, seq = entry.said["log"], entry.said["seq"]
            fine = log is None or root(digests[:seq])[0].hex() == log["root"]
            self.attempt(entry.commit, need, fine, "log")

    def attempt(self, where: str, act: Callable[..., Any], *given: Any) -> Any:
        try:
            return act(*given)
        except Refused as why:
            self.faults.append((str(why), where))

    def walk(self, tip: str) -> list[tuple[str, bytes, str | None]]:
        found, oid = [], tip
        while oid:
            raw = self.attempt(oid, self.git.read, "commit", oid)
            if raw is None:
                break
            parent = re.search(rb"^parent ([0-9a-f]{40})$", raw.partition(b"\n\n")[0], re.M)
            found.append((oid, raw))
            oid = parent[1].decode() if parent else ""
        trees = [raw[5:45].decode() for _, raw in found[1:]]
        return [(*one, tree) for one, tree in zip(found, [*trees, None], strict=True)][::-1]

    def examine(self, oid: str, raw: bytes, before: str | None) -> None:
        match = COMMIT.match(raw)
        if match is None or len(raw) > 1024 * 1024:
            raise Refused("commit-form")
        head, tree, *people, armor = match.groups()
        message = raw[match.end() :]
        try:
            author, committer = (person.decode() for person in people)
        except UnicodeDecodeError:
            raise Refused("commit-form") from None
        need(fits(PERSON, author) and fits(PERSON, committer), "commit-form")
        need(armor, "commit-signature")
        armor = armor.replace(b"\n ", b"\n").decode("ascii", "replace")
        public = sshsig(armor, head + b"\n" + message, "git", "commit-signature")
        if tree.decode() == before:
            line = message.partition(b"\n\n")[2].removesuffix(b"\n")
            need(line[:1] == b"{", "not-append-only")
            path, payload, said = None, line, slim(line)
        else:
            added = self.git.added(before, tree.decode())
            need(len(added) == 1, "not-append-only")
            ((path, blob),) = added.items()
            payload = unwrapped(self.git.read("blob", blob), public)
            said = with_file(payload)
        self.entries.append(Entry(oid, public, sha256(payload), said, said["time"]))
        kind, seq, client, host = (said[name] for name in ("kind", "seq", "client", "host"))
        need(said["ref"] == self.ref, "branch")
        day = said["at"][:10].replace("-", "/")
        need(path in (None, f"entries/{day}/{seq:08d}.dsse.json"), "path")
        person = f"{client}/{host} <reconciler@{host}.{client}.invalid> "
        person += f"{said['time'].replace(microsecond=0).timestamp():.0f} +0000"
        need(author == committer == person, "commit-content")
        rest = f"Evidence-Seq: {seq}\nEvidence-Kind: {kind}\n".encode()
        title = f"{kind} {seq} on {client}/{host}\n\n".encode()
        need(message == title + (rest if path else payload + b"\n"), "commit-content")
        need((b"\nparent " in head) == (seq > 0) and (before is None) == (seq == 0), "genesis")
        committed = said["time"].replace(microsecond=0)
        principal = listed(self.signers, public, "git", committed, seq).principal
        need(principal == self.name, "principal")

    def follow(self, old: Entry, new: Entry) -> None:
        before, after = old.said, new.said
        need(after["seq"] == before["seq"] + 1, "sequence")
        need(after["previous"] == old.digest.hex(), "chain")
        need(after["time"] >= before["time"], "time-backwards")
        need((moments(new) or [SAFE])[0] >= ended(old), "time-backwards")
        if after["base"] is not None:
            newest = before["seq"] if before["base"] is None else before["base"]
            need(after["base"] == newest, "base")
        open_ = [*before["open"]]
        if before["kind"] == "intent":
            open_.append({"seq": before["seq"], "sha256": old.digest.hex()})
        need(after["closes"] is None or after["closes"] in open_, "intent")
        need(after["open"] == [one for one in open_ if one != after["closes"]], "intent")
        if after["kind"] == "gap":
            at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ended(old))
            text = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            need(after["body"].get("from") == text, "gap")

    def keys(self, entry: Entry) -> None:
        said, public, body = entry.said, entry.public, entry.said["body"]
        if said["kind"] == "genesis":
            self.key, self.used = public, {public}
            need(key_of(body.get("key"), "genesis") == public, "key")
        elif said["kind"] != "key-change":
            need(public == self.key, "retired-key" if public in self.used else "key")
        else:
            new = key_change(entry, self.signers)
            wanted = new if body["action"] == "replace" else self.key
            need(public == wanted, "retired-key" if public in self.used else "key")
            need(new not in self.used, "retired-key")
            self.key, self.used = new, self.used | {new}

    def times(self, entry: Entry) -> None:
        said, body, found = entry.said, entry.said["body"], moments(entry)
        if said["kind"] == "run" and said["base"] is not None:
            fine = found is not None and whole(body.get("like"), -SAFE)
            self.last, last = since_1970(entry.at), self.last
            need(fine, "body")
            self.last = last
            need(body["like"] == self.run, "repeated-run")
        for at in found or ():
            before, self.last = at if self.last is None else self.last, at
            late = self.promise and at - before > (2 * self.promise + 60) * 1000
            need(not late or said["kind"] in ("gap", "key-change"), "gap")
        if said["kind"] == "run" and said["base"] is None:
            promise, self.run = body.get("promise_s"), said["seq"]
            self.promise = promise if whole(promise, 1) else None


def since_1970(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def moments(entry: Entry) -> list[int] | None:
    """Times of the runs or the other thing that an entry stands for; None if it does not say."""
    said, at = entry.said, since_1970(entry.at)
    late = said["kind"] == "run" and said["base"] is not None
    ticks, ago = (said["body"].get(*one) if late else one[1] for one in TIMES)
    fine = type(ticks) is list and ticks and all(whole(tick, 0) for tick in [*ticks, ago])
    if not fine or sum(ticks) + ago > at:
        return None
    return [at - ago - sum(ticks[n + 1 :]) for n in range(len(ticks))]


def ended(entry: Entry) -> int:
    return (moments(entry) or [since_1970(entry.at)])[-1]


def unwrapped(blob: bytes, public: bytes) -> bytes:
    kind = "application/vnd.in-toto+json"
    try:
        envelope = canonical(blob, 5_593_428)
        payload = un64(envelope["payload"], "envelope")
        made = un64(envelope["signatures"][0]["sig"], "envelope")
    except (Refused, KeyError, TypeError, IndexError):
        raise Refused("envelope") from None
    signatures = [{"keyid": sha256(public).hex(), "sig": envelope["signatures"][0]["sig"]}]
    again = {"payload": envelope["payload"], "payloadType": kind, "signatures": signatures}
    need(again == envelope, "envelope")
    encoded = f"DSSEv1 {len(kind)} {kind} {len(payload)} ".encode() + payload
    need(signed(public, made, encoded), "envelope")
    return payload


def key_change(entry: Entry, signers: list[Signer]) -> bytes:
    """The key that is announced."""
    code, said = "key-change", entry.said
    names = "action key proof authorization reason"
    action, key, proof, authorization, reason = members(said["body"], names, code)
    new = key_of(key, code)
    need(reason in ("scheduled", "suspected", "hardware", "lost"), code)
    need((action, authorization is None) in (("rotate", True), ("replace", False)), code)
    announced = {name: said[name] for name in ("previous", "ref", "seq")}
    text = dump({"action": action, "key": key, **announced})
    need(sshsig(proof, text, "reconciler-key-change", code) == new, code)
    if authorization is not None:
        use = "reconciler-key-recovery"
        person = listed_as(signers, sshsig(authorization, text, use, code), use, entry.at, code)
        need(use in (person.namespaces or []) and fits("[^@/]+@[^@/]+", person.principal), code)
    return new


def listed_as(signers: list[Signer], public: bytes, use: str, at: datetime, code: str) -> Signer:
    try:
        return listed(signers, public, use, at)
    except Refused:
        raise Refused(code) from None


# Checkpoints, witnesses, anchors


class Note(NamedTuple):
    text: str
    origin: str
    size: int
    root: bytes
    lines: list[tuple[str, bytes]]

    def by(self, name: str, kind: int, public: bytes) -> bytes | None:
        known = sha256(f"{name}\n".encode() + bytes([kind]) + public)[:4]
        made = [data[4:] for who, data in self.lines if who == name and data[:4] == known]
        need(len(made) <= 1, "note")
        return made[0] if made else None

    def signed_by(self, public: bytes) -> bool:
        made = self.by(self.origin, 1, public)
        return made is not None and signed(public, made, self.text.encode())


def read_note(note: Any) -> Note:
    need(type(note) is str and len(note) <= 65_536, "note")
    need(not re.search(r"[\0-\t\x0b-\x1f]", note), "note")
    text, _, rest = note.rpartition("\n\n")
    found = [SIGNED.fullmatch(line) for line in rest.removesuffix("\n").split("\n")]
    need(rest.endswith("\n") and all(found) and len(found) <= 64, "note")
    origin, size, top, *more = [*text.split("\n"), "", ""][: max(3, text.count("\n") + 1)]
    need(fits("0|[1-9][0-9]{0,15}", size) and int(size) <= SAFE and "" not in more, "note")
    need(re.fullmatch(r"[^\s+]{1,256}", origin) and len(un64(top, "note")) == 32, "note")
    lines = [(match[1], un64(match[2], "note")) for match in found if match]
    return Note(text + "\n", origin, int(size), un64(top, "note"), lines)


class Testimony:
    """What is said of one log, held against it."""

    def __init__(self, ledger: Ledger, ledgers: list[Ledger], signers: list[Signer]) -> None:
        self.ledger, self.signers = ledger, signers
        self.origin = f"reconciler/{ledger.name}"
        self.digests = [entry.digest for entry in ledger.entries]
        self.checkpoints: dict[int, Entry] = {}
        for entry in ledger.entries:
            if entry.said["kind"] == "checkpoint":
                ledger.attempt(entry.commit, self.checkpoint, entry)
        for entry in ledger.entries:
            if entry.said["kind"] == "anchor":
                ledger.attempt(entry.commit, self.anchor, entry)
        for other in ledgers:
            for entry in other.entries:
                if entry.said["kind"] == "cosignature":
                    ledger.attempt(entry.commit, self.cosigned, entry, other.name)

    def checkpoint(self, entry: Entry) -> None:
        note = note_or(entry.said["body"].get("note"), "checkpoint")
        need(note.origin == self.origin and note.signed_by(entry.public), "checkpoint")
        need(note.size == entry.said["seq"], "checkpoint")
        need(root(self.digests[: note.size])[0] == note.root, "checkpoint")
        self.checkpoints[note.size] = entry

    def anchor(self, entry: Entry) -> None:
        names = "authority checkpoint method note_sha256 proof state"
        authority, where, method, note, proof, state = members(entry.said["body"], names, "anchor")
        seq, digest = members(where, "seq sha256", "anchor")
        need(fits("[a-z0-9][a-z0-9.-]{0,62}", authority) and un64(proof, "anchor"), "anchor")
        need(method in ("opentimestamps", "rfc3161", "sigstore"), "anchor")
        need(state in ("complete", "pending") and whole(seq, 1), "anchor")
        held = self.checkpoints.get(seq)
        need(held and held.digest.hex() == digest, "anchor")
        need(held and sha256(held.said["body"]["note"].encode()).hex() == note, "anchor")

    def cosigned(self, entry: Entry, by: str) -> None:
        body, code = entry.said["body"], "cosignature"
        note = note_or(body.get("note"), code)
        if note.origin != self.origin:
            return
        own = [one.public for one in self.signers if one.principal == self.ledger.name]
        need(any(note.signed_by(public) for public in own), code)
        times = {}
        for one in self.signers:
            made = one.principal.startswith("witness/") and note.by(one.principal, 4, one.public)
            if made:
                at, text = int.from_bytes(made[:8], "big"), note.text
                vouched = f"cosignature/v1\ntime {at}\n{text}".encode()
                need(0 < at <= SAFE and signed(one.public, made[8:], vouched), code)
                times[one.principal] = at
        if by.startswith("witness/"):
            times = {name: at for name, at in times.items() if name == by}
        unheard = not times and not by.startswith("witness/")
        need(unheard or body.get("time") in times.values(), code)
        said = [body.get(name) for name in ("origin", "size", "root")]
        need(said == [note.origin, note.size, note.root.hex()], code)
        need(note.size <= len(self.digests), "shorter-than-witnessed")
        need(root(self.digests[: note.size])[0] == note.root, "equivocation")


def here(entry: Entry, ledgers: list[Ledger]) -> None:
    origin = note_or(entry.said["body"].get("note"), "cosignature").origin
    names = {f"reconciler/{ledger.name}" for ledger in ledgers}
    clients = {name.rpartition("/")[0] for name in names}
    gone = origin not in names and origin.rpartition("/")[0] in clients
    need(not gone, "shorter-than-witnessed")


def note_or(note: Any, code: str) -> Note:
    try:
        return read_note(note)
    except Refused:
        raise Refused(code) from None


def verify(repository: Path, trust: str) -> list[tuple[str, str]]:
    """Everything that is wrong: code, and where."""
    signers, git = trusted(trust), Git(repository)
    with git.batch:
        branches = [ref for ref in git.refs if fits(f"refs/heads/{LABEL}/{LABEL}", ref)]
        ledgers = [Ledger(git, ref, signers) for ref in branches]
        for ledger in ledgers:
            if ledger.whole:
                Testimony(ledger, ledgers, signers)
            for entry in ledger.entries:
                if entry.said["kind"] == "cosignature":
                    ledger.attempt(entry.commit, here, entry, ledgers)
        faults = [fault for ledger in ledgers for fault in ledger.faults]
        strangers = [ref for ref in git.refs if ref not in branches]
        tips = {ledger.tip for ledger in ledgers}
        clones = {ref for ref in strangers if "refs/remotes/" in ref[:13] and git.refs[ref] in tips}
        faults += [("unknown-ref", ref) for ref in strangers if ref not in clones]
        if git.batch.stdin is not None:
            git.batch.stdin.close()
    return faults if ledgers else [("no-ledger", "refs/heads"), *faults]


def main(repository: str, trust: str) -> int:
    faults = verify(Path(repository), Path(trust).read_text("utf-8"))
    for code, where in faults:
        print(f"{code} at {where}")
    print("does NOT verify" if faults else "verifies")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
