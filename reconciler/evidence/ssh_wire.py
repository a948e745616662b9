"""The one encoding that SSH keys and signatures are made of (RFC 4251, section 5)."""


def string(data: bytes) -> bytes:
    """Bytes with their length before them."""
    return len(data).to_bytes(4, "big") + data


def strings(*fields: bytes) -> bytes:
    """Several strings, one after the other."""
    return b"".join(map(string, fields))
