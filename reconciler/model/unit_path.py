"""Where systemd keeps a unit on the bus."""


def object_path(unit_name: str) -> str:
    """The D-Bus object of a unit: every byte but ASCII letters and digits as ``_xx``."""
    escaped = "".join(
        chr(byte) if chr(byte).isascii() and chr(byte).isalnum() and (at or not chr(byte).isdigit())
        else f"_{byte:02x}"
        for at, byte in enumerate(unit_name.encode())
    )  # fmt: skip
    return f"/org/freedesktop/systemd1/unit/{escaped}"
