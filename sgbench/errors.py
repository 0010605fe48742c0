"""The one error that a caller can mend."""


class SgbenchError(ValueError):
    """Something the caller must mend.

    The message says what was wrong, what was expected and what to do, in one or two
    sentences; the command line prints it without a traceback and exits with status 2.
    """
