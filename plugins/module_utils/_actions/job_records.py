# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keeps what became of an owner's jobs in a directory of that owner's, where nobody else can have written anything.

All of it is done with the rights of that owner, and in a child: on the way there may be a file system that never
answers.
"""

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import secrets
import stat
import time
from typing import Callable, Iterator, List, NamedTuple, Optional, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._actions.clean_up import NOT_ALONE
from ansible_collections.fleet.tmux.plugins.module_utils._host import rights
from ansible_collections.fleet.tmux.plugins.module_utils._host.crew import Job, Line, Message, work
from ansible_collections.fleet.tmux.plugins.module_utils._host.folders import (
    Reached,
    Untrusted,
    names_in,
    reached,
    read_file,
    replace_file,
)
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import shown
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._policy import jobs
from ansible_collections.fleet.tmux.plugins.module_utils._policy.jobs import BrokenRecord, JobError, JobRecord

USUAL = ".local/state/fleet-tmux/jobs"
"""Where the records of an owner are, below the home of that owner."""
RECORDS = 500
"""Records of one owner that are kept."""
TOTAL_BYTES = 4 * 1024 * 1024
"""Bytes that they have together."""

MACHINE_ID = "/etc/machine-id"

_KEY = ".key"
_LOCK = ".key.lock"
_ENDS = ".json"
_RECORD = re.compile(r"[0-9a-f]{40}\.json")
_DRAFT = re.compile(r"\.[0-9a-f]{40}\.json\.[0-9a-f]{16}|\.key\.[0-9a-f]{16}|\.\.key\.[0-9a-f]{16}\.[0-9a-f]{16}")
"""What is ours. Its owner may have told us to keep records in a directory that has other files, too."""
_HOST_CHARS, _JOB_CHARS = 16, 24
"""How much of the hash of a host, and of that of a job, is in the name of a record."""
_NAMES = 50000
_STALE_SECONDS = 3600
_ALONE = stat.S_IRWXG | stat.S_IRWXO


_NO_FILE = (errno.ELOOP, errno.ENXIO)
"""What is said of a link and of a socket. Whatever else goes wrong may go by, and says nothing of what is there."""


class Known(NamedTuple):
    """What is known of a job: the key for its hash (empty: there is none yet), its record, and what is not trusted."""

    key: bytes
    record: Optional[JobRecord]
    trouble: Tuple[str, ...]


def this_host() -> str:
    """What tells this host apart from others, as a hash, for its id is not for everybody.

    :raises JobError: when that is not known.
    """
    try:
        with open(MACHINE_ID, "rb") as stream:
            found = stream.read(100).strip()
    except FileNotFoundError:
        found = b""
    except OSError as error:
        raise JobError(f"nothing was run, for it is not known which host this is: {MACHINE_ID}: {error.strerror}")
    if not re.fullmatch(b"[0-9a-f]{32}", found):  # Before its first boot it has none.
        found = os.uname().nodename.encode("utf-8", "surrogateescape")
    return hashlib.sha256(b"fleet.tmux job\0" + found).hexdigest()[:32]


class Records:
    """The records of an owner. ``discreet``: whether the names of what is on the way to them stay on the host."""

    def __init__(self, place: Optional[str], user: User, timeout: float, discreet: bool = False) -> None:
        self.path = os.path.join(user.home, USUAL) if place is None else place
        self._user = user
        self._timeout = timeout
        self._discreet = discreet
        self.host = this_host()

    def find(self, name: str, socket: str, make: bool) -> Known:
        """What is known of a job, and (``make``) all that is needed to record it, or a look whether it could be had.

        :raises JobError: when no record could be kept.
        """
        said = self._done(lambda: self._find(name, socket, make))
        record = None if said["record"] is None else JobRecord(*said["record"])
        return Known(bytes.fromhex(said["key"]), record, tuple(said["trouble"]))

    def write(self, record: JobRecord) -> None:
        """Have a record, whole, and let go of the oldest ones.

        :raises JobError: when it cannot be written; the old one is there then.
        """
        self._done(lambda: self._write(record))

    def _done(self, errand: Callable[[], Message]) -> Message:
        said: List[Message] = []

        def told(line: Line) -> None:
            try:
                with rights.of(self._user):
                    line.say(errand())
            except Untrusted as problem:
                line.say({"problem": NOT_ALONE if self._discreet else str(problem)})
            except OSError as error:
                line.say({"problem": f"{self._user.name} cannot use it: {error.strerror}"})

        ends = work([Job("records", told, self._timeout)], lambda _key, message: said.append(message))
        problem = said[0].get("problem") if said else ends["records"].reason
        if problem:
            raise JobError(f"jobs_dir: no record of a job can be kept in {shown(self.path)}: {shown(problem)}")
        return said[0]

    @contextlib.contextmanager
    def _place(self, make: bool) -> Iterator[Reached]:
        """The directory, in which nobody but its owner and root can have put anything."""
        own = {self._user.uid}
        if make:
            above, name = os.path.split(self.path.rstrip("/"))
            with reached(above, own, make=True) as there, contextlib.suppress(FileExistsError):
                os.mkdir(name, 0o700, dir_fd=there.handle)
        with reached(self.path, own, alone=True) as there:
            yield there

    def _find(self, name: str, socket: str, make: bool) -> Message:
        with self._place(make) as there:
            if not os.access(".", os.W_OK | os.X_OK, dir_fd=there.handle, effective_ids=True):
                raise Untrusted(f"{there.path} cannot be written to by {self._user.name}")
            if there.missing:
                return {"key": "", "record": None, "trouble": []}
            trouble: List[str] = []
            key = self._key(there.handle, make, trouble)
            record = self._record(name, socket, there.handle, trouble)
        return {"key": key.hex(), "record": record, "trouble": trouble}

    def _key(self, folder: int, make: bool, trouble: List[str]) -> bytes:
        """The key; a new one where there is none that nobody else can have read."""
        try:
            return self._read_key(folder)
        except FileNotFoundError:
            pass
        except Untrusted as problem:
            trouble.append(
                f"jobs_dir: the key in {shown(self.path)} is not used: {shown(str(problem))}; so no record is known to "
                "be of this job, and a new key is made"
            )
        if not make:
            return b""
        with contextlib.ExitStack() as stack:
            if trouble:
                stack.enter_context(_locked(folder))
                self._remove_bad_key(folder)
            return self._made_key(folder)

    def _remove_bad_key(self, folder: int) -> None:
        """Remove the key that is not to be used, unless another run has made a new one meanwhile."""
        try:
            self._read_key(folder)
        except FileNotFoundError:
            pass
        except Untrusted:
            os.unlink(_KEY, dir_fd=folder)

    def _made_key(self, folder: int) -> bytes:
        draft = "%s.%s" % (_KEY, secrets.token_hex(8))
        replace_file(draft, secrets.token_bytes(jobs.KEY_BYTES), folder)
        with contextlib.suppress(FileExistsError):  # Another run was faster.
            os.link(draft, _KEY, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
        os.unlink(draft, dir_fd=folder)
        return self._read_key(folder)

    def _read_key(self, folder: int) -> bytes:
        """:raises Untrusted: when it is none, or others can have read it."""
        key = _own_file(_KEY, folder, self._user.uid, jobs.KEY_BYTES)
        if len(key) != jobs.KEY_BYTES:
            raise Untrusted("it is no key")
        if os.stat(_KEY, dir_fd=folder, follow_symlinks=False).st_mode & _ALONE:
            raise Untrusted("others may read it (chmod go= would have helped)")
        return key

    def _record(self, name: str, socket: str, folder: int, trouble: List[str]) -> Optional[JobRecord]:
        file = _file_name(name, socket, self.host)
        try:
            data = _own_file(file, folder, self._user.uid, jobs.RECORD_BYTES)
            return jobs.read(data, name, socket, self.host)
        except FileNotFoundError:
            return None
        except (Untrusted, BrokenRecord) as problem:
            trouble.append(
                f"jobs_dir: the record {shown(os.path.join(self.path, file))} is not trusted: {shown(str(problem))}; "
                "so it is as if the job had never been run"
            )
            return None

    def _write(self, record: JobRecord) -> Message:
        own = _file_name(record.name, record.socket, record.host)
        with self._place(make=True) as there:
            replace_file(own, jobs.written(record), there.handle)
            _tidy(there.handle, own)
        return {}


def _own_file(name: str, folder: int, owner: int, limit: int) -> bytes:
    """As :func:`read_file`; what can be no file of ours is not trusted either.

    :raises OSError: when that is not known.
    """
    try:
        return read_file(name, folder, owner, limit)
    except OSError as error:
        if error.errno in _NO_FILE:
            raise Untrusted(str(error.strerror))
        raise


@contextlib.contextmanager
def _locked(folder: int) -> Iterator[None]:
    """While no other run mends the key: on whichever host it is, so this is no lock of the kernel's own."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    handle = os.open(_LOCK, flags, 0o600, dir_fd=folder)
    try:
        fcntl.lockf(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _file_name(name: str, socket: str, host: str) -> str:
    which = hashlib.sha256(("%s\0%s" % (socket, name)).encode("utf-8", "surrogateescape")).hexdigest()
    return hashlib.sha256(host.encode("ascii")).hexdigest()[:_HOST_CHARS] + which[:_JOB_CHARS] + _ENDS


def _tidy(folder: int, own: str) -> None:
    """Remove the oldest records of a host, and what runs that were cut off have left of theirs.

    Nothing that may be something else is touched.
    """
    host = own[:_HOST_CHARS]
    found = []
    for name in names_in(folder, _NAMES):
        with contextlib.suppress(OSError):
            if name.startswith(host) and _RECORD.fullmatch(name):
                state = os.stat(name, dir_fd=folder, follow_symlinks=False)
                found.append((name != own, -state.st_mtime, state.st_size, name))
            elif _DRAFT.fullmatch(name) and time.time() - _changed(name, folder) > _STALE_SECONDS:
                os.unlink(name, dir_fd=folder)
    total = 0
    for number, (_other, _age, size, name) in enumerate(sorted(found)):
        total += size
        if number >= RECORDS or total > TOTAL_BYTES:
            with contextlib.suppress(OSError):
                os.unlink(name, dir_fd=folder)


def _changed(name: str, folder: int) -> float:
    return os.stat(name, dir_fd=folder, follow_symlinks=False).st_mtime
