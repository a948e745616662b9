"""What a store refuses, and what fails on the way there, in our words."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from reconciler.errors import MachineError

_CODE = re.compile(r"[A-Za-z0-9]{1,64}")
_RIGHTS = "Give this credential the rights of the policy in docs/retention.md."
_CREDENTIAL = "See the two credential files, the region and the endpoint."
_HINTS = {
    "AccessDenied": _RIGHTS,
    "AllAccessDisabled": _RIGHTS,
    "403": _RIGHTS,
    "InvalidAccessKeyId": _CREDENTIAL,
    "SignatureDoesNotMatch": _CREDENTIAL,
    "AuthorizationHeaderMalformed": _CREDENTIAL,
    "RequestTimeTooSkewed": "Set the clock right (timedatectl): the store's differs from it.",
    "NoSuchBucket": "Make the bucket as docs/retention.md says, or name the right one.",
    "QuotaExceeded": "Raise the quota of the bucket; nothing was lost.",
}
_OTHER = "See the store's own log; nothing was recorded as copied."
_AWAY = "See the network, the address and the certificates; copying goes on at the next attempt."


class StoreRefused(MachineError):
    """The store answered, and said no.

    Attributes:
        code: The store's code: ``PreconditionFailed``.
        status: The HTTP status.
    """

    def __init__(self, message: str, *, hint: str, code: str, status: int) -> None:
        super().__init__(message, hint=hint)
        self.code = code
        self.status = status

    @property
    def absent(self) -> bool:
        """Whether it says that there is no such object or version."""
        return self.status == 404 and self.code != "NoSuchBucket"


@contextmanager
def in_our_words(what: str) -> Iterator[None]:
    """Turn what boto3 raises into errors of this package.

    The text of a store's answer is not repeated: it can hold anything, and quotes requests.

    Args:
        what: What was asked: ``write x.bundle``.

    Raises:
        StoreRefused: The store answered with an error.
        MachineError: It did not answer, or not in a way that can be understood.
    """
    # Lazy: an extra, imported with the client.
    import botocore.exceptions as boto  # noqa: PLC0415
    from urllib3.exceptions import HTTPError  # noqa: PLC0415 - lazy: comes with boto3

    try:
        yield
    except boto.ClientError as error:
        raise _refused(what, error.response) from error
    except (boto.BotoCoreError, boto.HTTPClientError, HTTPError, OSError) as error:
        message = f"cannot {what}: {type(error).__name__}"
        raise MachineError(message, hint=_AWAY) from error
    except ValueError as error:
        message = f"cannot {what}: the answer cannot be understood"
        raise MachineError(message, hint=_OTHER) from error


def _refused(what: str, response: Any) -> StoreRefused:
    code = str(response.get("Error", {}).get("Code", ""))
    if not _CODE.fullmatch(code):
        code = "without a code"
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    hint = _HINTS.get(code, _OTHER)
    message = f"the store refused to {what}: {code}, HTTP status {status}"
    return StoreRefused(message, hint=hint, code=code, status=status)
