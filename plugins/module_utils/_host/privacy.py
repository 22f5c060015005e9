# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What may leave the host of what root learns of a user: the one place that decides.

Results, warnings and messages go to whoever runs Ansible, into logs and reports. Of other users they hold what a sign
is and the names of programs; the words that those users, their programs or their servers have chosen stay here.
"""

import os
import traceback
from typing import Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._host.text import brief

KIND, FULL = "kind", "full"
"""The values of ``evidence_detail``."""

_MESSAGE_CHARS = 2000
_TRACE_CHARS = 20000

WITHHELD = "see evidence_detail"
"""What is said where words are left out."""


def tells_of(uid: int, full: bool) -> bool:
    """Whether the details of what belongs to ``uid`` may be told: of whoever runs this, and where it is asked for."""
    return full or os.geteuid() == uid


def tells_of_anybody(full: bool) -> bool:
    """Whether details may be told where nobody knows whose they are, as in what Python says of a defect of ours."""
    return full or os.geteuid() != 0


def unexpected(error: BaseException, full: bool = False) -> Tuple[str, str]:
    """What is said of a defect of ours, and where it was met. Python puts values into its messages, of anybody."""
    said = f"{type(error).__name__}: {error}" if tells_of_anybody(full) else defect(error)
    message = brief(f"unexpected: {said}", _MESSAGE_CHARS)
    trace = "".join(traceback.format_tb(error.__traceback__))[-_TRACE_CHARS:]
    return message, trace + message


def program(text: str) -> str:
    """The name of the program in a command line, without its directory and arguments."""
    words = text.split(None, 1)
    return words[0].rstrip("/").rpartition("/")[2] if words else ""


def defect(error: BaseException) -> str:
    """A defect of ours, without the values that Python puts into its message: what it is, and where."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = ""
    if trace is not None:
        where = " in %s, line %d" % (os.path.basename(trace.tb_frame.f_code.co_filename), trace.tb_lineno)
    return type(error).__name__ + where
