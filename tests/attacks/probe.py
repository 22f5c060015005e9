# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write down what the kernel says of this process: ``probe.py INTO``. Standard library only.

What is there under INTO.status already was read by a program that, other than Python, ignores no signal of its own.
"""

import contextlib
import ctypes
import json
import os
import platform
import sys
from typing import Dict

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long
CALLS = {"x86_64": (250, 252), "aarch64": (219, 31), "riscv64": (219, 31), "ppc64le": (271, 274), "s390x": (280, 283)}
"""The numbers of keyctl and ioprio_get."""
NAMESPACES = ("cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts")
FILES = (
    "attr/current",
    "coredump_filter",
    "gid_map",
    "loginuid",
    "oom_score_adj",
    "personality",
    "sessionid",
    "setgroups",
    "timens_offsets",
    "uid_map",
)
PRCTL = {"pdeathsig": 2, "dumpable": 3, "keepcaps": 7, "securebits": 27, "timerslack": 30, "subreaper": 37, "thp": 42}
SESSION = -3
SEARCH, UPDATE, DESCRIBE, READ = 10, 2, 6, 11
SECRET = b"secret-of-root"
"""What root calls its key; its new content is the name of whoever changed it."""


def main(into: str) -> None:
    found: Dict[str, object] = {}
    with open(into + ".status", encoding="utf-8") as handle:
        for line in handle:
            name, _colon, value = line.partition(":")
            found["status." + name] = " ".join(value.split())
    with open("/proc/self/limits", encoding="ascii") as handle:
        for line in handle.read().splitlines()[1:]:
            found["limits." + line[:25].strip()] = line[25:].split()[:2]
    with open("/proc/self/cgroup", encoding="utf-8") as handle:
        for line in handle.read().splitlines():
            _number, controllers, path = line.split(":", 2)
            found["cgroup." + controllers] = path
    for kind in NAMESPACES:
        with contextlib.suppress(FileNotFoundError):
            found["ns." + kind] = os.readlink("/proc/self/ns/" + kind)
    for name in FILES:
        with contextlib.suppress(OSError), open("/proc/self/" + name, encoding="utf-8") as handle:
            found["file." + name] = handle.read()
    for name, number in PRCTL.items():
        found["prctl." + name] = asked(number)
    keyctl, ioprio_get = CALLS[platform.machine()]
    found["priority.nice"] = os.getpriority(os.PRIO_PROCESS, 0)
    found["priority.policy"] = os.sched_getscheduler(0)
    found["priority.io"] = LIBC.syscall(ioprio_get, 1, 0)
    found["priority.cpus"] = sorted(os.sched_getaffinity(0))
    found["own.session"] = os.getsid(0) == os.getpid()
    found["own.terminal"] = os.path.exists("/dev/tty") and opens("/dev/tty")
    found["own.directory"] = os.getcwd()
    found["own.root"] = os.readlink("/proc/self/root")
    found["own.descriptors"] = descriptors()
    found["own.environment"] = dict(os.environ)
    found["keys.session"] = described(keyctl)
    found["keys.of_root"] = taken(keyctl)
    with open(into + ".part", "w", encoding="utf-8") as handle:
        json.dump(found, handle)
    os.rename(into + ".part", into)


def asked(number: int) -> int:
    """Some answers are the result, others are written to the address that is the argument."""
    value = ctypes.c_int(-1)
    if number in (2, 37):
        LIBC.prctl(number, ctypes.byref(value), 0, 0, 0)
        return value.value
    return int(LIBC.prctl(number, 0, 0, 0, 0))


def opens(path: str) -> bool:
    try:
        os.close(os.open(path, os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def descriptors() -> Dict[str, str]:
    found = {}
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            found[name] = os.readlink("/proc/self/fd/" + name).partition(":")[0]
    return {name: aim for name, aim in found.items() if not aim.startswith("/proc/")}


def described(keyctl: int) -> str:
    """The owner and the name of the session keyring; its number is every time another one."""
    text = ctypes.create_string_buffer(200)
    if LIBC.syscall(keyctl, DESCRIBE, SESSION, text, 200) < 0:
        return "none: error %d" % ctypes.get_errno()
    kind, uid, gid, _rights, name = text.value.decode().split(";")
    return "%s of %s:%s, called %s" % (kind, uid, gid, name)


def taken(keyctl: int) -> str:
    """The content of root's key, if it can be had; it is changed."""
    key = LIBC.syscall(keyctl, SEARCH, SESSION, b"user", SECRET, 0)
    if key < 0:
        return ""
    content = ctypes.create_string_buffer(100)
    LIBC.syscall(keyctl, READ, key, content, 100)
    LIBC.syscall(keyctl, UPDATE, key, b"changed", 7)
    return content.value.decode()


if __name__ == "__main__":
    main(sys.argv[1])
