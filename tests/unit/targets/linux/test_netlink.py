import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.targets.linux.netlink import attribute, attributes, each
from reconciler.targets.linux.no_answer import NoAnswer


class TestAttributes:
    @given(st.lists(st.tuples(st.integers(0, 0x3FFF), st.binary(max_size=9)), max_size=5))
    def test_what_is_written_is_read(self, items: list[tuple[int, bytes]]) -> None:
        assert list(each(b"".join(attribute(kind, data) for kind, data in items))) == items

    def test_flags_of_a_type_are_not_part_of_it(self) -> None:
        assert attributes(struct.pack("=HH", 4, 0x8003)) == {3: b""}

    @pytest.mark.parametrize("data", [struct.pack("=HH", 3, 1), struct.pack("=HH", 9, 1)])
    def test_a_length_that_does_not_fit_is_refused(self, data: bytes) -> None:
        with pytest.raises(NoAnswer, match="malformed"):
            attributes(data)
