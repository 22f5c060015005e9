# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""System calls that Python does not have: about keys, capabilities, and whose reads and writes come first."""

import ctypes
import errno
import os
import signal
from typing import Dict, NamedTuple, Optional

_KEYCTL_JOIN_SESSION_KEYRING = 1
_PR_SET_PDEATHSIG = 1
_PR_GET_PDEATHSIG = 2
_PR_CAPBSET_DROP = 24
_PR_GET_SECUREBITS = 27
_PR_SET_SECUREBITS = 28
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_CAPABILITY_VERSION_3 = 0x20080522
_CAPABILITIES = 64
_IOPRIO_WHO_PROCESS = 1
_IOPRIO_CLASS_SHIFT = 13
_IOPRIO_CLASSES_FOR_ALL = (2, 3)
"""Best effort and idle: any user may choose them. The class before, realtime, is not for all."""


class Calls(NamedTuple):
    """The numbers of system calls on one kind of machine."""

    keyctl: int
    capset: int
    ioprio_set: int
    ioprio_get: int


_X86_64 = Calls(250, 126, 251, 252)
_I386 = Calls(288, 185, 289, 290)
_ARM = Calls(311, 185, 314, 315)
_GENERIC = Calls(219, 91, 30, 31)
_POWER = Calls(271, 184, 273, 274)
_S390 = Calls(280, 185, 282, 283)

_BY_MACHINE: Dict[int, Dict[str, Calls]] = {
    8: {"x86_64": _X86_64, "aarch64": _GENERIC, "riscv64": _GENERIC, "ppc64le": _POWER, "s390x": _S390},
    4: dict(
        [(machine, _I386) for machine in ("x86_64", "i386", "i486", "i586", "i686")]
        + [(machine, _ARM) for machine in ("aarch64", "armv5tel", "armv6l", "armv7l", "armv8l")]
    ),
}
"""By the bytes of a pointer: a program of 32 bits on a kernel of 64 has the numbers of the machine it was made for."""

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


def calls_of(machine: str, pointer: int) -> Optional[Calls]:
    """The numbers for a program with pointers of that many bytes, on what uname(2) calls ``machine``, if known."""
    return _BY_MACHINE.get(pointer, {}).get(machine)


def calls_here() -> Optional[Calls]:
    return calls_of(os.uname().machine, ctypes.sizeof(ctypes.c_void_p))


def leave_session_keyring(calls: Calls) -> None:
    """Have a new, empty session keyring instead of the one that was inherited. Without keys in the kernel: nothing.

    :raises OSError: when that cannot be done.
    """
    try:
        _call(calls.keyctl, _KEYCTL_JOIN_SESSION_KEYRING, None)
    except OSError as error:
        if error.errno != errno.ENOSYS:
            raise


def order_of_io(calls: Calls, pid: int) -> int:
    """The class and level in which the reads and writes of a process come (as in ioprio_set(2)), if all may have it."""
    try:
        found = _call(calls.ioprio_get, _IOPRIO_WHO_PROCESS, pid)
    except OSError:
        return 0
    return found if found >> _IOPRIO_CLASS_SHIFT in _IOPRIO_CLASSES_FOR_ALL else 0


def set_order_of_io(calls: Calls, value: int) -> None:
    try:
        _call(calls.ioprio_set, _IOPRIO_WHO_PROCESS, 0, value)
    except OSError as error:
        if error.errno != errno.ENOSYS:
            raise


def end_with_parent(parent: int) -> None:
    """Be ended when ``parent`` ends, the process that has started us. A change of the uid takes this back."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)  # It had ended before.


def signal_of_parents_end() -> int:
    """The signal that we get when the process ends that has started us; 0 for none."""
    found = ctypes.c_int(0)
    _libc.prctl(_PR_GET_PDEATHSIG, ctypes.byref(found), 0, 0, 0)
    return found.value


def bound_capabilities(allowed: int) -> None:
    """Give up, for us and whatever we start, all capabilities that are not in the mask ``allowed``."""
    for capability in range(_CAPABILITIES):
        if not allowed >> capability & 1 and _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            if ctypes.get_errno() == errno.EINVAL:
                return  # This kernel has no more of them.
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def drop_capabilities(calls: Calls) -> None:
    """Have no capability, and none that a file could give back: becoming a user leaves the inheritable ones."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    _libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    _call(calls.capset, header, (ctypes.c_uint32 * 6)())


def have_usual_securebits() -> None:
    """Let a change of the uid, and a program, mean for capabilities what they usually do. What is locked stays."""
    if _libc.prctl(_PR_GET_SECUREBITS, 0, 0, 0, 0) != 0:
        _libc.prctl(_PR_SET_SECUREBITS, 0, 0, 0, 0)


def gain_nothing_more() -> None:
    """Let no program that is started from here on have more rights than the one that starts it."""
    if _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _call(number: int, *words: object) -> int:
    given = [ctypes.c_long(word) if isinstance(word, int) else word for word in words]
    result = int(_libc.syscall(ctypes.c_long(number), *given))
    if result == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
