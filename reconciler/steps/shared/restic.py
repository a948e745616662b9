"""What steps about restic repositories share."""

from reconciler.model.parameter import Parameter

REPOSITORY = Parameter(
    type="str",
    doc="Location of the repository; one that holds a password is refused, it would be evidence.",
    pattern=r"(?!-)(?!.*//[^/@]*:[^/@]*@)[^\x00-\x1f]{1,1024}",
)
PASSWORD_FILE = Parameter(
    type="str", doc="File with the repository's password.", pattern=r"/[^\x00-\x1f]{1,1023}"
)
