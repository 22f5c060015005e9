# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Leaves what people are to be told at their next login in a file for each of them, which nobody else may read.

The file is root's. Its user is given it to read by an access control list; where the file system has none, the file
itself, in a directory where only root can put anything. So it is read again as what anybody may have written.
"""

import errno
import os
import re
import struct
from typing import Container, Iterator, List, NamedTuple, Optional, Sequence

from ansible_collections.fleet.tmux.plugins.module_utils._actions.texts import News, lines_of, more_lines
from ansible_collections.fleet.tmux.plugins.module_utils._host import folders
from ansible_collections.fleet.tmux.plugins.module_utils._host.folders import Untrusted, reached
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import shown
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import MARKED, REMOVED

FORMAT = "fleet-tmux 1"
"""What the first line begins with; the number of the newest message follows."""

BYTES_LIMIT = 16384
"""A shell reads it at every login, some of them byte by byte."""
MESSAGES_LIMIT = 50
AT_ONCE = 20
"""Sessions of a kind that one run tells of one by one."""
_LINE_CHARS = 1000
_DAY = 86400
REMOVED_DAYS = 30
"""For how long a removal is worth telling: as long as the role keeps snapshots."""

_FIRST = re.compile(r"fleet-tmux 1 ([0-9]{1,12})\Z")
_HEAD = re.compile(r"@ ([0-9]{1,12}) ([0-9]{1,12}) (marked|removed) ([0-9]+/[0-9]+/\$[0-9]+/[0-9]+|-)\Z")

_ACL = "system.posix_acl_access"
_NO_LISTS = (errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)
_USER_OBJ, _USER, _GROUP_OBJ, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x10, 0x20
_NOBODY = 0xFFFFFFFF
_READ, _WRITE = 4, 2


class Message(NamedTuple):
    """One message: its number, until when it is worth telling, what it is about, and its lines."""

    number: int
    until: int
    what: str
    identity: str
    lines: Sequence[str]

    def written(self) -> str:
        head = "@ %d %d %s %s" % self[:4]
        return "".join(line + "\n" for line in [head, *(" " + line for line in self.lines)])


class Notices:
    """The directory of what people are told: a file for each of them, named by the user id."""

    def __init__(self, path: str) -> None:
        self._path = path

    def leave(self, user: User, news: Sequence[News], gone: Container[str], named: bool, now: int) -> Optional[str]:
        """Leave a user messages, and take back those on sessions that are ``gone``, or stay; what went wrong.

        Nobody logs in as a user id without an account, of which somebody may have thousands.
        """
        if user.name == str(user.uid) or not (news or gone):
            return None
        try:
            with reached(self._path, {os.geteuid()}, alone=True, make=bool(news)) as place:
                if not place.missing:
                    self._leave(user, news, gone, named, now, place.handle)
        except Untrusted as problem:
            return "notices_dir: %s" % problem if news else None
        except OSError as error:
            return "notices_dir: %s: %s" % (self._path, error.strerror) if news else None
        return None

    def _leave(
        self, user: User, news: Sequence[News], gone: Container[str], named: bool, now: int, folder: int
    ) -> None:
        old = _read(user, folder)
        stay = [each for each in old if each.until > now and not (each.what == MARKED and each.identity in gone)]
        if not news and len(stay) == len(old):
            return
        number = max([now - 1, *(each.number for each in old)]) + 1
        new = [message._replace(number=number + at) for at, message in enumerate(_messages(news, named, now))]
        data = written(sorted([*new, *stay], reverse=True))
        folders.replace_file(str(user.uid), data, folder, lambda handle: _give(handle, user.uid))


def written(messages: Sequence[Message]) -> bytes:
    """The file of these messages, the newest of which comes first: as many as there may be."""
    text = "%s %d\n" % (FORMAT, messages[0].number if messages else 0)
    for message in messages[:MESSAGES_LIMIT]:
        longer = text + message.written()
        if len(longer.encode("utf-8", "replace")) > BYTES_LIMIT:
            break
        text = longer
    return text.encode("utf-8", "replace")


def read(data: bytes) -> List[Message]:
    """The messages of such a file; none if it is anything else."""
    lines = data.decode("utf-8", "replace").split("\n")
    if _FIRST.match(lines[0]) is None or lines[-1]:
        return []
    found: List[Message] = []
    for line in lines[1:-1]:
        head = _HEAD.match(line)
        if head is not None:
            found.append(Message(int(head.group(1)), int(head.group(2)), head.group(3), head.group(4), []))
        elif found and line.startswith(" ") and len(line) <= _LINE_CHARS and shown(line) == line:
            last = found.pop()
            found.append(last._replace(lines=[*last.lines, line[1:]]))
        else:
            return []
    return found


def _read(user: User, folder: int) -> List[Message]:
    for owner in (os.geteuid(), user.uid):
        try:
            return read(folders.read_file(str(user.uid), folder, owner, BYTES_LIMIT))
        except (OSError, Untrusted):
            continue  # What cannot be read is written anew.
    return []


def _messages(news: Sequence[News], named: bool, now: int) -> Iterator[Message]:
    """The messages, that which is to be read first at the end: it is the newest then. They are not numbered yet."""
    for what in (REMOVED, MARKED):
        own = [each for each in news if each.what == what]
        until = max([each.moment for each in own], default=0) + (_DAY if what == MARKED else REMOVED_DAYS * _DAY)
        if own[AT_ONCE:]:
            yield Message(0, until, what, "-", more_lines(what, len(own) - AT_ONCE))
        for each in reversed(own[:AT_ONCE]):
            yield Message(0, until, what, each.identity, lines_of(each, named))


def _give(handle: int, uid: int) -> None:
    """Let a user read a file of ours, and nobody else. Nothing may change its mode after that."""
    if os.geteuid() != 0 or uid == 0:
        return
    entries = [
        (_USER_OBJ, _READ | _WRITE, _NOBODY),
        (_USER, _READ, uid),
        (_GROUP_OBJ, 0, _NOBODY),
        (_MASK, _READ, _NOBODY),
        (_OTHER, 0, _NOBODY),
    ]
    try:
        os.setxattr(handle, _ACL, struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries))
    except OSError as error:
        if error.errno not in _NO_LISTS:
            raise
        os.fchmod(handle, 0o400)
        os.fchown(handle, uid, -1)
