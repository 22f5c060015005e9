# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""As ``sitecustomize`` of a Python it writes down what is opened, listed, and read as a link, below /proc."""

import os
import sys
from typing import Any

_LOG = os.path.join(os.path.dirname(os.path.abspath(__file__)), "opened")
_real_readlink: Any = os.readlink


def _tell(path: Any) -> None:
    if isinstance(path, (str, bytes)) and os.fsdecode(path).startswith("/proc/"):
        handle = os.open(_LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.write(handle, os.fsencode(path) + b"\n")
        os.close(handle)


def _heard(event: str, given: Any) -> None:
    if event in ("open", "os.listdir", "os.scandir", "os.getxattr") and given and given[0] != _LOG:
        _tell(given[0])


def _readlink(path: Any, *more: Any, **named: Any) -> Any:
    _tell(path)
    return _real_readlink(path, *more, **named)


os.readlink = _readlink
sys.addaudithook(_heard)
