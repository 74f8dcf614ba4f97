"""What can go wrong in a run of the lab.

LabError
├── ProgramError      a program did not do what the scenario needs; the run is reported with its log
└── UncertainError   the run happened, but what it was is not known for sure; it is dropped and counted
"""


class LabError(Exception):
    """Something in a run did not go as it should."""


class ProgramError(LabError):
    """A program did not start, did not end in time or did not answer."""


class UncertainError(LabError):
    """The truth about a run cannot be told: no label is better than a guessed one."""
