# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A file system of a user's own that does not answer, and a process that therefore never becomes a program.

    silent_files.py DEVICE PLACE UID all

mounts it at PLACE for all users to see, as fusermount does for a user where fuse.conf has user_allow_other. From the
first question about what is in it on, no question is answered.

    silent_files.py DEVICE PLACE UID exec [undumpable] [NAME]

mounts it for that user alone, who has a descriptor there that is to be closed on exec, and begins to execute a program:
closing that file is never finished. Prints the pid of that process, whose pid it is, and stays.

Must be started as root, which mounts (any user can do that, in a user namespace or with fusermount), and goes on as the
user. The protocol is that of the kernel's include/uapi/linux/fuse.h.
"""

import ctypes
import errno
import os
import signal
import stat
import struct
import sys
import time
from typing import List, Optional

LOOKUP, FORGET, GETATTR, OPEN, STATFS, FLUSH, INIT, OPENDIR = 1, 2, 3, 14, 17, 25, 26, 27
INTERRUPT, BATCH_FORGET = 36, 42
UNANSWERED = (FORGET, INTERRUPT, BATCH_FORGET)
ROOT, HELD = 1, 2
_PR_SET_NAME, _PR_SET_DUMPABLE = 15, 4
_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _attributes(node: int, uid: int) -> bytes:
    mode = stat.S_IFDIR | 0o755 if node == ROOT else stat.S_IFREG | 0o755
    return struct.pack("<6Q10I", node, 0, 0, 0, 0, 0, 0, 0, 0, mode, 1, uid, uid, 0, 4096, 0)


def _answer(operation: int, node: int, given: bytes, uid: int) -> Optional[bytes]:
    """What is answered, None for: there is no such thing."""
    if operation == INIT:
        _major, _minor, ahead, _flags = struct.unpack_from("<4I", given)
        return struct.pack("<4I2H2I2H8I", 7, 31, ahead, 0, 12, 9, 65536, 1, 0, 0, *[0] * 8)[:64]
    if operation == GETATTR:
        return struct.pack("<Q2I", 0, 0, 0) + _attributes(node, uid)
    if operation == LOOKUP and given == b"held\0":
        return struct.pack("<4Q2I", HELD, 0, 0, 0, 0, 0) + _attributes(HELD, uid)
    if operation in (OPEN, OPENDIR):
        return struct.pack("<Q2I", 1, 0, 0)
    return None


def serve(device: int, uid: int, silent: bool) -> None:
    """Answer the kernel until nothing is mounted any more.

    :param silent: answer no question about what is there.
    """
    while True:
        try:
            data = os.read(device, 1 << 20)
        except OSError as error:
            if error.errno in (errno.EINTR, errno.ENOENT):
                continue
            return
        _length, operation, unique, node = struct.unpack_from("<2I2Q", data)
        if operation in UNANSWERED or operation == FLUSH or (silent and operation != INIT):
            continue
        body = _answer(operation, node, data[40:], uid)
        done = 0 if body is not None else -(errno.ENOENT if operation == LOOKUP else errno.ENOSYS)
        os.write(device, struct.pack("<IiQ", 16 + len(body or b""), done, unique) + (body or b""))


def become_no_program(place: str, how: List[str]) -> None:
    """Begin to execute a program, and never finish that."""
    if how[:1] == ["undumpable"]:
        _checked(_libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0))
        how = how[1:]
    if how:
        _checked(_libc.prctl(_PR_SET_NAME, how[0].encode(), 0, 0, 0))
    held = os.open(place + "/held", os.O_RDONLY | os.O_CLOEXEC)
    os.dup2(held, 99, inheritable=False)
    os.execv("/bin/sleep", ["sleep", "3600"])


def main(device_path: str, place: str, uid: int, kind: str, how: List[str]) -> None:
    device = os.open(device_path, os.O_RDWR | os.O_CLOEXEC)
    words = "fd=%d,rootmode=40000,user_id=%d,group_id=%d" % (device, uid, uid)
    options = words + (",allow_other" if kind == "all" else "")
    _checked(_libc.mount(b"silent", place.encode(), b"fuse", 0, options.encode()))
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    if kind == "all":
        print(os.getpid(), flush=True)
        serve(device, uid, True)
        return
    victim = os.getpid()
    worker = os.fork()
    if worker == 0:
        os.setsid()
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        print(victim, os.getpid(), flush=True)
        os.close(1)
        serve(device, uid, False)
        os._exit(0)
    os.close(device)
    time.sleep(0.1)
    become_no_program(place, how)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], sys.argv[5:])
