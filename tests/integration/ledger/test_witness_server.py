"""The witness protocol over real sockets: c2sp.org/tlog-witness case by case, and bad peers."""

import hashlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.errors import EvidenceError, InputError, MachineError, ReconcilerError
from reconciler.evidence import note, sshsig
from reconciler.evidence.merkle import leaf_hash
from reconciler.evidence.merkle_tree import Tree
from reconciler.evidence.statement import Kind
from reconciler.evidence.witnessing import MAX_REQUEST, write_request
from reconciler.ledger.witness_client import WitnessAddress, ask_for_cosignature
from reconciler.ledger.witness_memory import LedgerMemory
from reconciler.ledger.witness_server import MAX_CONNECTIONS, WitnessServer, parse_address
from tests.support.ledger_rig import Rig, make_rig
from tests.support.witness_rig import ORIGIN, WITNESS_KEY, WitnessRig, make_witness

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]

PUBLIC = sshsig.raw_public(WITNESS_KEY)
WITNESSES = {"witness/hub": PUBLIC}
LEAVES = [leaf_hash(b"%d" % seq) for seq in range(40)]
LOG = Tree(LEAVES)
FORK = Tree([*LEAVES[:5], leaf_hash(b"other"), *LEAVES[6:]])


class Served:
    """A served witness, and questions to it as bytes."""

    def __init__(self, rig: Rig, hub: WitnessRig, memory: LedgerMemory) -> None:
        self.rig, self.hub, self.memory = rig, hub, memory
        self.complaints: list[ReconcilerError] = []
        self.witness = hub.witness(memory)
        self.server = WitnessServer(
            self.witness, ("127.0.0.1", 0), self.complaints.append, connection_seconds=2.0
        )

    @property
    def url(self) -> str:
        host, port = self.server.address
        return f"http://{host}:{port}"

    def connect(self) -> socket.socket:
        return socket.create_connection(self.server.address, timeout=10)

    def raw(self, data: bytes) -> tuple[int, dict[str, str], bytes]:
        with self.connect() as connection:
            connection.sendall(data)
            return answer_on(connection)

    def post(self, body: bytes, path: str = "/add-checkpoint") -> tuple[int, dict[str, str], bytes]:
        head = f"POST {path} HTTP/1.1\r\nHost: witness\r\nContent-Length: {len(body)}\r\n\r\n"
        return self.raw(head.encode() + body)

    def get(self, path: str) -> tuple[int, dict[str, str], bytes]:
        return self.raw(f"GET {path} HTTP/1.1\r\nHost: witness\r\n\r\n".encode())

    def signed(self, size: int, tree: Tree = LOG) -> str:
        return note.sign_checkpoint(note.Checkpoint(ORIGIN, size, tree.root(size)), self.rig.key)

    def add(self, old: int, new: int, tree: Tree = LOG) -> tuple[int, dict[str, str], bytes]:
        proof = tree.consistency_proof(old, new)
        return self.post(write_request(old, proof, self.signed(new, tree)))


def answer_on(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """One whole answer; (0, {}, b"") if the connection was closed instead."""
    with connection.makefile("rb") as file:
        first = file.readline()
        if not first:
            return 0, {}, b""
        headers: dict[str, str] = {}
        while (line := file.readline().strip()) != b"":
            name, _, value = line.decode().partition(": ")
            headers[name.lower()] = value
        body = file.read(int(headers["content-length"]))
    return int(first.split()[1]), headers, body


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    rig = make_rig(tmp_path)
    hub = make_witness(tmp_path, rig)
    with hub.memory() as memory:
        served = Served(rig, hub, memory)
        with served.server:
            yield served


def test_a_checkpoint_is_cosigned_and_on_the_disk(served: Served) -> None:
    status, headers, body = served.add(0, 5)
    assert (status, headers["content-length"]) == (200, str(len(body)))
    cosigned = served.signed(5) + body.decode()
    at = note.cosignatures(cosigned, WITNESSES)["witness/hub"]
    assert note.add_cosignatures(served.signed(5), body.decode(), WITNESSES) == cosigned
    seen = served.memory.latest(ORIGIN)
    assert seen is not None
    assert (seen.size, seen.root, seen.note) == (5, LOG.root(5), cosigned)
    assert served.add(5, 9)[0] == 200
    served.server.close()
    served.memory.close()
    assert [body.get("time") for _, body in served.hub.entries()][1] == at


def test_asking_again_gives_the_same_and_writes_nothing(served: Served) -> None:
    first = served.add(0, 5)
    assert served.add(5, 5) == (first[0], served.add(5, 5)[1], first[2])
    served.server.close()
    served.memory.close()
    assert len(served.hub.entries()) == 2


def test_the_statuses_of_the_standard(served: Served) -> None:
    assert served.add(0, 7)[0] == 200
    foreign = note.Checkpoint("reconciler/other/host", 3, LOG.root(3))
    unknown = note.sign_checkpoint(foreign, served.rig.key)
    assert served.post(write_request(0, (), unknown))[0] == 404
    unsigned = note.sign_checkpoint(note.Checkpoint(ORIGIN, 9, LOG.root(9)), WITNESS_KEY)
    assert served.post(write_request(7, LOG.consistency_proof(7, 9), unsigned))[0] == 403
    assert served.post(write_request(9, (), served.signed(8)))[0] == 400
    assert served.post(b"nonsense")[0] == 400
    status, headers, body = served.add(3, 9)
    assert (status, headers["content-type"], body) == (409, "text/x.tlog.size", b"7\n")
    assert served.post(write_request(7, (), served.signed(9)))[0] == 422
    assert served.add(7, 9, FORK)[0] == 422
    assert served.add(7, 9)[0] == 200
    # The witness itself is no log that it would vouch for.
    own = note.sign_checkpoint(
        note.Checkpoint("reconciler/witness/hub", 3, LOG.root(3)), WITNESS_KEY
    )
    assert served.post(write_request(0, (), own))[0] == 404


def test_a_second_root_is_refused_and_kept(served: Served) -> None:
    served.add(0, 8)
    for _ in range(3):
        assert served.add(8, 8, FORK)[0] == 422
    assert served.add(3, 8, FORK)[0] == 409
    served.server.close()
    served.memory.close()
    (kind, body) = served.hub.entries()[-1]
    assert (kind, len(served.hub.entries())) == (Kind.REFUSAL, 3)
    assert body["reason"] == "equivocation"
    shown = body["shown"]
    assert isinstance(shown, dict)
    assert note.read_checkpoint(shown["note"]).root == FORK.root(8)


def test_what_was_vouched_for_can_be_seen(served: Served) -> None:
    path = f"/{hashlib.sha256(ORIGIN.encode()).hexdigest()}/checkpoint"
    assert served.get(path)[0] == 404
    line = served.add(0, 5)[2].decode()
    status, _, body = served.get(path)
    assert (status, body.decode()) == (200, served.signed(5) + line)
    for other in ("/", "/add-checkpoint", f"/{'0' * 64}/checkpoint", f"/x{path}", "/%2e%2e/"):
        assert served.get(other)[0] == 404


def test_a_connection_serves_one_request_after_another(served: Served) -> None:
    with served.connect() as connection:
        for old, new in ((0, 2), (2, 4)):
            body = write_request(old, LOG.consistency_proof(old, new), served.signed(new))
            head = (
                f"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            connection.sendall(head.encode() + body)
            assert answer_on(connection)[0] == 200


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"POST /add-checkpoint HTTP/1.1\r\n\r\n", 411),
        (b"POST /add-checkpoint HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411),
        (b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 411),
        (b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 1_0\r\n\r\n", 411),
        (b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 411),
        (
            b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 1\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n",
            411,
        ),
        (b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (MAX_REQUEST + 1), 413),
        (b"POST /elsewhere HTTP/1.1\r\nContent-Length: 1\r\n\r\nx", 404),
        (b"PUT /add-checkpoint HTTP/1.1\r\nContent-Length: 1\r\n\r\nx", 501),
        (b"GET /%s HTTP/1.1\r\n\r\n" % (b"x" * 70_000), 414),
        (b"GET / HTTP/1.1\r\nX: %s\r\n\r\n" % (b"x" * 70_000), 431),
        (b"GET / HTTP/1.1\r\n%s\r\n" % (b"X: y\r\n" * 200), 431),
        (b"GET / HTTP/9.9\r\n\r\n", 505),
        (b"nonsense\r\n\r\n", 400),
    ],
)
def test_what_is_no_good_request_gets_its_status(served: Served, head: bytes, status: int) -> None:
    found, headers, _ = served.raw(head)
    assert found == status
    assert headers["connection"] == "close"
    assert served.add(0, 3)[0] == 200


def test_who_drips_bytes_is_cut_off(served: Served) -> None:
    begin = time.monotonic()
    with served.connect() as connection:
        connection.sendall(b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 500\r\n\r\n")
        with pytest.raises(OSError):
            for _ in range(100):
                connection.sendall(b"o")
                time.sleep(0.1)
    assert time.monotonic() - begin < 8
    assert served.add(0, 3)[0] == 200


def test_who_opens_many_connections_waits_outside(served: Served) -> None:
    crowd = [served.connect() for _ in range(MAX_CONNECTIONS)]
    try:
        deadline = time.monotonic() + 5
        while served.get("/")[0] != 0:
            assert time.monotonic() < deadline
    finally:
        for connection in crowd:
            connection.close()
    deadline = time.monotonic() + 5
    while served.add(0, 3)[0] != 200:
        assert time.monotonic() < deadline


def test_two_roots_asked_for_at_once_do_not_both_win(served: Served) -> None:
    gate, found = threading.Barrier(8), []

    def ask(tree: Tree) -> None:
        gate.wait()
        found.append((tree is LOG, served.add(0, 9, tree)[0]))

    threads = [threading.Thread(target=ask, args=(tree,)) for tree in (LOG, FORK) * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = {tree for tree, status in found if status == 200}
    assert len(winners) == 1
    assert [status for _, status in found].count(200) == 1
    seen = served.memory.latest(ORIGIN)
    assert seen is not None
    assert seen.root == (LOG if winners == {True} else FORK).root(9)


def test_without_a_memory_nothing_is_signed(served: Served) -> None:
    served.add(0, 3)
    served.hub.clock.at = served.hub.clock.at.replace(year=2020)
    assert served.add(3, 5) == (503, served.add(3, 5)[1], b"the witness cannot sign now\n")
    assert "clock" in str(served.complaints[0])
    seen = served.memory.latest(ORIGIN)
    assert seen is not None
    assert seen.size == 3


def test_a_restarted_witness_remembers(served: Served) -> None:
    served.add(0, 9)
    served.server.close()
    served.memory.close()
    with served.hub.memory() as memory:
        again = Served(served.rig, served.hub, memory)
        with again.server:
            assert again.add(0, 9, FORK)[0] == 409
            assert again.add(9, 12)[0] == 200


def test_a_unix_socket_serves_and_a_dead_one_is_taken_over(served: Served, tmp_path: Path) -> None:
    path = tmp_path / "socket"
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(path))
    dead.close()
    with WitnessServer(served.witness, str(path), served.complaints.append):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(str(path))
            connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert answer_on(connection)[0] == 404
        with pytest.raises(MachineError, match="cannot serve"):
            WitnessServer(served.witness, str(path), served.complaints.append)
    assert not path.exists()
    with pytest.raises(MachineError, match="cannot serve"):
        WitnessServer(served.witness, served.server.address, served.complaints.append)


def test_addresses() -> None:
    assert parse_address("127.0.0.1:80") == ("127.0.0.1", 80)
    assert parse_address("[::1]:8080") == ("::1", 8080)
    assert parse_address("unix:/run/w") == "/run/w"
    for text in (
        "",
        "80",
        ":80",
        "host",
        "host:99999",
        "unix:run",
        "::1:80",
        "h:8 0",
        "http://a:1",
    ):
        with pytest.raises(InputError):
            parse_address(text)


def address(served: Served, **changes: object) -> WitnessAddress:
    parts: dict[str, object] = {"url": served.url, "name": "witness/hub", "public": PUBLIC}
    return WitnessAddress(**{**parts, **changes})  # type: ignore[arg-type]


def test_a_client_finds_out_which_size_is_asked_for(served: Served) -> None:
    served.add(0, 4)
    cosigned = ask_for_cosignature(
        address(served), served.signed(9), lambda old: LOG.consistency_proof(old, 9)
    )
    assert note.cosignatures(cosigned, WITNESSES)
    assert cosigned.startswith(served.signed(9))


def test_a_client_does_not_accept_less_than_a_cosignature(served: Served) -> None:
    def proofs(old: int) -> tuple[bytes, ...]:
        return LOG.consistency_proof(old, 6)

    served.add(0, 9)
    with pytest.raises(EvidenceError, match="saw 9 entries of this log, which has 6"):
        ask_for_cosignature(address(served), served.signed(6), proofs)
    with pytest.raises(EvidenceError, match=r"refused \(422\)"):
        ask_for_cosignature(address(served), served.signed(9, FORK), lambda _: (), believed=9)
    with pytest.raises(EvidenceError, match="no cosignature of a known witness"):
        ask_for_cosignature(
            address(served, public=bytes(32)), served.signed(9), lambda _: (), believed=9
        )
    with pytest.raises(EvidenceError, match="refused"):
        elsewhere = address(served, url=f"{served.url}/elsewhere")
        ask_for_cosignature(elsewhere, served.signed(6), proofs)
    with pytest.raises(InputError):
        ask_for_cosignature(address(served, url="http://192.0.2.1"), served.signed(6), proofs)
    nobody = address(served)
    served.server.close()
    with pytest.raises(MachineError, match="does not answer"):
        ask_for_cosignature(nobody, served.signed(6), proofs, timeout_s=2)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"HTTP/1.1 409 x\r\nContent-Length: 5\r\n\r\nnine\n", "does not say which size"),
        (b"HTTP/1.1 409 x\r\nContent-Length: 3\r\n\r\n007", "does not say which size"),
        (b"HTTP/1.1 200 x\r\nContent-Length: 2\r\n\r\n\xff\n", "no text"),
        (b"HTTP/1.1 200 x\r\nContent-Length: 0\r\n\r\n", "signature lines"),
        (b"HTTP/1.1 500 x\r\nContent-Length: 4\r\n\r\n\x1b[2J", r"refused \(500\): \[2J"),
        (b"HTTP/1.1 302 x\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", "refused"),
    ],
)
def test_a_lying_witness(served: Served, answer: bytes, message: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)

        def lie() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(answer)

        liar = threading.Thread(target=lie)
        liar.start()
        host, port = listener.getsockname()
        with pytest.raises(EvidenceError, match=message):
            ask_for_cosignature(
                address(served, url=f"http://{host}:{port}"), served.signed(6), lambda _: ()
            )
        liar.join()
