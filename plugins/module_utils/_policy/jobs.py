# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A job is run once: what tells it apart from others, what is recorded of it, and what is to be done about it. Pure."""

import hashlib
import hmac
import json
import re
from typing import Any, Dict, Mapping, NamedTuple, Optional

from ansible_collections.fleet.tmux.plugins.module_utils._host.text import shown

FORMAT = 1
RECORD_BYTES = 65536
"""Bytes that a record has at most."""
KEY_BYTES = 32
"""Bytes of the key that the hashes of an owner's jobs are made with."""

RETURNED, RUN, WAITED = "returned", "run", "waited"
"""What is done about a job: its record is returned, it is run, or one that runs already is waited for."""

_ROUNDS = 200000
"""Rounds of the slow hash for secret values, about a tenth of a second: whoever has the key must guess slowly, too."""
_LARGEST = 2**53
_SIGNAL = re.compile(r"[A-Za-z0-9+-]{0,20}\Z")
"""What is told of a record, whoever's it is, has no room for words."""


class JobError(ValueError):
    """A job that was not run, not recorded, or has not ended well. The message says why."""


class BrokenRecord(ValueError):
    """What is no record of a job, or not of this one. The message says why."""


class JobRecord(NamedTuple):
    """What is known of a job that has ended. ``digest``: the hash of what it was declared to be.

    ``started``, ``recorded``: epoch seconds. ``seconds``: how long it ran; None where tmux does not tell. ``host``: a
    hash that tells the host apart, for many may have the home of its owner.
    """

    name: str
    socket: str
    digest: str
    exit_status: Optional[int]
    signal: str
    started: int
    seconds: Optional[int]
    recorded: int
    log: Optional[str]
    host: str = ""

    @property
    def failed(self) -> bool:
        """Whether its command did not end well, or nobody knows."""
        return self.exit_status != 0

    @property
    def is_unclear(self) -> bool:
        """Whether tmux has not told how its command has ended."""
        return self.exit_status is None and not self.signal

    @property
    def how(self) -> str:
        """How its command has ended, in words."""
        if self.exit_status is not None:
            return "with exit status %d" % self.exit_status
        return "by signal %s" % self.signal if self.signal else "in a way that nobody knows"


def digest(declared: Mapping[str, Any], variables: Mapping[str, str], key: bytes) -> str:
    """The hash of what a job is declared to be.

    Without the key, which only the owner can read, nobody can try what the values of variables may be. Whoever has it
    needs a tenth of a second for each.
    """
    values = json.dumps(sorted(variables.items())).encode("ascii")
    stretched = hashlib.pbkdf2_hmac("sha256", values, key, _ROUNDS).hex() if variables else ""
    text = json.dumps([FORMAT, declared, stretched], sort_keys=True)
    return hmac.new(key, text.encode("ascii"), hashlib.sha256).hexdigest()


def action(
    wanted: Optional[str], there: bool, mark: Optional[str], record: Optional[JobRecord], rerun: bool, name: str
) -> str:
    """What is to be done about a job.

    :param wanted: its hash; None where there is no key yet, so that nothing can be of it.
    :param there: whether there is its session, or another of its name. ``mark``: the hash of the job that it was made
        for.
    :raises JobError: when a session of that name is something else, which lives.
    """
    if there:
        if wanted is not None and mark == wanted:
            return WAITED  # With rerun too: it may be the run of a task that was cut off.
        what = "is another job, or was declared otherwise" if mark else "was not made by state=completed"
        raise JobError(
            f"name: session {shown(name)!r} is there, and {what}; it was left as it is and nothing was run: remove it "
            "first with state=absent, or give the job another name"
        )
    if record is not None and record.digest == wanted and not rerun:
        return RETURNED
    return RUN


# --- as text ----------------------------------------------------------------------------------------------------------


def written(record: JobRecord) -> bytes:
    """A record as a file holds it."""
    return json.dumps(dict(record._asdict(), format=FORMAT), sort_keys=True).encode("ascii") + b"\n"


def read(data: bytes, name: str, socket: str, host: str) -> JobRecord:
    """What a file holds of the job of that name on that host.

    :raises BrokenRecord: when it is no record, of another format, or of another job.
    """
    try:
        found = json.loads(data.decode("ascii"))
    except (ValueError, RecursionError):
        raise BrokenRecord("it is no JSON")
    if not isinstance(found, dict):
        raise BrokenRecord("it is no record")
    if found.pop("format", None) != FORMAT:
        raise BrokenRecord(f"it has another format than {FORMAT}")
    if set(found) != set(JobRecord._fields):
        raise BrokenRecord("it has not the fields of a record")
    wrong = sorted(field for field, value in found.items() if not _fits(field, value))
    if wrong:
        raise BrokenRecord(f"its {wrong[0]} is nothing that was recorded")
    if (found["name"], found["socket"], found["host"]) != (name, socket, host):
        raise BrokenRecord("it is of another job")
    return JobRecord(**found)


_NUMBERS: Dict[str, bool] = {"exit_status": True, "started": False, "seconds": True, "recorded": False}
"""The fields that are numbers, and whether nobody may know them."""


def _fits(field: str, value: object) -> bool:
    if field in _NUMBERS:
        if value is None:
            return _NUMBERS[field]
        return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LARGEST
    if field == "signal":
        return isinstance(value, str) and _SIGNAL.match(value) is not None
    return isinstance(value, str) or (field == "log" and value is None)
