"""passwd(5) and shadow(5) as checks read them."""

from collections.abc import Mapping

from reconciler.model.answer import Answers
from reconciler.model.local_account import CLOSED, Account, expiry, read_accounts, read_shadow
from reconciler.model.probe import ReadFile

PASSWD = ReadFile("/etc/passwd")
SHADOW = ReadFile("/etc/shadow")
NOBODY = 65534


def accounts(text: str) -> tuple[Account, ...]:
    """Every account, in order.

    Raises:
        Unobservable: As `read_accounts`.
    """
    return read_accounts(text)


def passwords(text: str) -> Mapping[str, str]:
    """The password field of every account in shadow(5). It never leaves a parser.

    Raises:
        Unobservable: As `read_shadow`.
    """
    return {name: fields[1] for name, fields in read_shadow(text).items()}


def closed(answers: Answers) -> frozenset[str]:
    """Accounts that PAM lets nobody into, by any way: they expired on the day that says so.

    Without the right to read shadow(5) none is known to be closed.

    Raises:
        Unobservable: The file was read and is garbled.
    """
    if answers.raw(SHADOW).status != "ok":
        return frozenset()
    shadow = read_shadow(answers.text(SHADOW))
    return frozenset(name for name in shadow if expiry(shadow, name) == CLOSED)
