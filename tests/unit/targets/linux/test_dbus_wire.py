"""Our bytes against those of another implementation, and bytes that nobody should believe."""

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jeepney import DBusAddress, HeaderFields, MessageType, new_method_call, new_signal
from jeepney import Message as Theirs
from jeepney.low_level import Endianness, Header, Parser

from reconciler.targets.linux.dbus_values import Malformed, split
from reconciler.targets.linux.dbus_wire import (
    MAX_MESSAGE,
    Call,
    decode_message,
    encode_call,
    message_size,
)

VALUES: list[tuple[str, tuple[Any, ...], tuple[Any, ...]]] = [
    # signature, what is sent, what is read
    ("s", ("text",), ("text",)),
    ("", (), ()),
    ("ss", ("a", "größer"), ("a", "größer")),
    ("ybnqiuxt", (7, True, -2, 2, -3, 3, -4, 2**64 - 1), (7, True, -2, 2, -3, 3, -4, 2**64 - 1)),
    ("og", ("/a/b", "a{sv}"), ("/a/b", "a{sv}")),
    ("asb", (["x", "yy"], False), (["x", "yy"], False)),
    ("as", ([],), ([],)),
    ("a(sv)", ([("k", ("t", 5)), ("l", ("s", "v"))],), ([["k", 5], ["l", "v"]],)),
    ("a{sv}", ({"k": ("t", 5)},), ({"k": 5},)),
    ("a(ssssssouso)", ([("a",) * 6 + ("/u", 0, "", "/")],), ([["a"] * 6 + ["/u", 0, "", "/"]],)),
    ("ay", (b"\0\1",), (b"\0\1",)),
    ("aas", ([["a"], []],), ([["a"], []],)),
    ("v", (("v", ("as", ["deep"])),), (["deep"],)),
]


def reply(signature: str, body: tuple[Any, ...], *, order: Endianness = Endianness.little) -> bytes:
    fields = {HeaderFields.reply_serial: 7, HeaderFields.sender: "org.example.Peer"}
    if signature:
        fields[HeaderFields.signature] = signature
    head = Header(order, MessageType.method_return, 0, 1, -1, 9, fields)
    return bytes(Theirs(head, body).serialise(serial=9))


def frozen(value: Any) -> Any:
    """Lists as tuples, as a `Call` wants them."""
    if isinstance(value, dict):
        return tuple((key, frozen(item)) for key, item in value.items())
    return tuple(map(frozen, value)) if isinstance(value, list | tuple) else value


class TestCalls:
    @pytest.mark.parametrize(
        ("signature", "sent", "_read"), [row for row in VALUES if row[0] != "ay"]
    )
    def test_the_bytes_are_those_of_another_library(
        self, signature: str, sent: tuple[Any, ...], _read: object
    ) -> None:
        address = DBusAddress("/org/example", "org.example.Peer", "org.example.Face")
        theirs = new_method_call(address, "Do", signature or None, sent).serialise(serial=5)
        call = Call(
            "org.example.Peer", "/org/example", "org.example.Face", "Do", signature, frozen(sent)
        )
        (ours,) = Parser().feed(encode_call(call, 5))
        (wanted,) = Parser().feed(theirs)
        assert (ours.header.fields, ours.body) == (wanted.header.fields, wanted.body)
        assert ours.header.serial == 5

    @pytest.mark.parametrize(
        ("signature", "args"),
        [("u", (-1,)), ("s", ()), ("as", ("x", "y")), ("zz", (1, 2)), ("u", ("x",))],
    )
    def test_what_does_not_fit_is_refused(self, signature: str, args: tuple[Any, ...]) -> None:
        with pytest.raises((Malformed, ValueError)):
            encode_call(Call("a.b", "/", "a.b", "C", signature, args), 1)


class TestReplies:
    @pytest.mark.parametrize("order", list(Endianness))
    @pytest.mark.parametrize(("signature", "sent", "read"), VALUES)
    def test_values_are_read_back(
        self, signature: str, sent: tuple[Any, ...], read: tuple[Any, ...], order: Endianness
    ) -> None:
        data = reply(signature, sent, order=order)
        message = decode_message(data)
        assert (message.kind, message.reply_to, message.error) == (2, 7, "")
        assert message.body == read
        assert message_size(data[:16]) == len(data)

    def test_the_same_answer_to_another_question_keeps_its_number(self) -> None:
        for serial in (7, 8, 7):
            fields = {HeaderFields.reply_serial: serial, HeaderFields.signature: "s"}
            head = Header(Endianness.little, MessageType.method_return, 0, 1, -1, serial, fields)
            data = Theirs(head, ("same",)).serialise(serial=serial)
            assert decode_message(data).reply_to == serial

    def test_errors_and_signals(self) -> None:
        fields = {
            HeaderFields.reply_serial: 3,
            HeaderFields.error_name: "org.example.Error.No",
            HeaderFields.signature: "s",
        }
        head = Header(Endianness.little, MessageType.error, 0, 1, -1, 9, fields)
        error = decode_message(Theirs(head, ("why",)).serialise(serial=9))
        assert (error.kind, error.error, error.body) == (3, "org.example.Error.No", ("why",))
        emitter = DBusAddress("/org/example", interface="org.example.Face")
        signal = decode_message(new_signal(emitter, "Gone", "uo", (1, "/x")).serialise(serial=2))
        assert (signal.kind, signal.member, signal.path) == (4, "Gone", "/org/example")


class TestHostileBytes:
    def test_a_message_that_says_it_is_huge_is_not_waited_for(self) -> None:
        with pytest.raises(Malformed):
            message_size(b"l\2\0\1" + struct.pack("<III", MAX_MESSAGE, 1, 0))

    def test_an_unknown_byte_order(self) -> None:
        with pytest.raises(Malformed):
            message_size(b"x" * 16)

    @pytest.mark.parametrize("signature", ["a", "(", "(s", "{s", "z", "a" * 40 + "s", "("])
    def test_broken_signatures(self, signature: str) -> None:
        with pytest.raises(Malformed):
            split(signature)

    def test_variants_in_variants_end(self) -> None:
        deep: Any = ("s", "x")
        for _ in range(40):
            deep = ("v", deep)
        with pytest.raises(Malformed):
            decode_message(reply("v", (deep,)))

    @given(st.data())
    def test_any_change_is_read_or_refused(self, data: st.DataObject) -> None:
        _, sent, _ = VALUES[9]
        bytes_ = bytearray(reply("a(ssssssouso)", sent))
        for _ in range(data.draw(st.integers(1, 4))):
            at = data.draw(st.integers(0, len(bytes_) - 1))
            bytes_[at] = data.draw(st.integers(0, 255))
        cut = bytes(bytes_[: data.draw(st.integers(16, len(bytes_)))])
        try:
            decode_message(cut)
        except Malformed:
            return
