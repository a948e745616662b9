"""Who this job is, as its CI system says it. For the command line and `ci/`, and for them alone.

The library looks for GitHub Actions, GitLab, Buildkite, CircleCI and Google Cloud by the variables
that they set, and asks them for a token.
"""

from reconciler.errors import InputError
from reconciler.keyless.bundles import needed
from reconciler.keyless.said import words

_HINT = "On GitHub the job needs: permissions: id-token: write, and not to be of a fork."


def identity_token() -> str:
    """The identity token that the CI system gives this job; a secret.

    Raises:
        InputError: It gives none.
        MachineError: The library is missing.
    """
    with needed():
        from sigstore.oidc import (  # noqa: PLC0415 - lazy: optional, heavy
            IdentityError,
            detect_credential,
        )
    try:
        token = detect_credential()
    except IdentityError as error:
        message = f"this job gets no identity token: {words(error)}"
        raise InputError(message, hint=_HINT) from error
    if token is None:
        raise InputError("this is no job of a CI system that gives identity tokens", hint=_HINT)
    return token
