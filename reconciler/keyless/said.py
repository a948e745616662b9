"""What a library says is wrong, without what somebody chose to put into its input."""


def words(error: Exception) -> str:
    """What a library says is wrong, as one short line of printable text."""
    # The first line: what follows in a long message is the input, which somebody chose.
    text = (str(error).strip() or type(error).__name__).splitlines()[0]
    return "".join(c if c.isprintable() else "?" for c in text)[:200]
