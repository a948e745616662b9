"""Pages for paper, set by typst: PDF/A-2a, which is for archives, and PDF/UA-1, for all readers.

The same bytes for the same sheet: no network, no clock, no fonts of this machine.
"""

from reconciler.errors import EvidenceError, MachineError
from reconciler.report.control_sheet import Sheet
from reconciler.report.pdf_page import PROGRAM, data


def check_pdf() -> None:
    """Make sure that pages can be made, before anything is done.

    Raises:
        MachineError: The extra is not installed.
    """
    try:
        import typst  # noqa: F401, PLC0415 - lazy: an extra
    except ModuleNotFoundError as error:
        message = "pages for paper need typst, which is not installed"
        hint = "pip install 'reconciler[pdf]', or leave them out: --no-pdf."
        raise MachineError(message, hint=hint) from error


def pdf(sheet: Sheet) -> bytes:
    """The page of a sheet.

    Raises:
        EvidenceError: The page cannot be set.
        MachineError: The extra is not installed.
    """
    check_pdf()
    import typst  # noqa: PLC0415 - lazy: an extra

    try:
        made = typst.compile(
            PROGRAM,
            format="pdf",
            sys_inputs={"data": data(sheet)},
            pdf_standards=["a-2a", "ua-1"],
            ignore_system_fonts=True,
        )
    except (typst.TypstError, RuntimeError) as error:
        message = f"the page of {sheet.control} cannot be set: {str(error)[:300]}"
        raise EvidenceError(
            message, hint="Use the CSV file (--no-pdf), and report this."
        ) from error
    return bytes(made)
