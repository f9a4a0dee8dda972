"""The two ways a request can end other than well."""


class InputError(ValueError):
    """Bad input or usage: one clear line that says what to do. Exit status 2, nothing written."""


class ReconstructionRefused(RuntimeError):
    """The input is readable but holds nothing this engine can reconstruct. Exit status 1."""
