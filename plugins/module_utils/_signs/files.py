# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When one of the files was last written to that processes which count hold open for writing."""

import stat
from typing import Iterator, List, Optional, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process
from ansible_collections.fleet.tmux.plugins.module_utils._signs.roles import Cast
from ansible_collections.fleet.tmux.plugins.module_utils._signs.scene import OpenFile, Refused, Scene, without_deleted
from ansible_collections.fleet.tmux.plugins.module_utils._signs.sign import Sign


def files(cast: Cast, scene: Scene) -> Iterator[Sign]:
    """The newest write to a regular file, and each process whose files could not be looked at."""
    newest: Optional[Tuple[int, Process, OpenFile]] = None
    for process in cast.open:
        try:
            for file in _written(process, scene):
                found = scene.look_at(process, file)
                if found is not None and stat.S_ISREG(found.st_mode) and (not newest or found.st_mtime > newest[0]):
                    newest = int(found.st_mtime), process, file
        except Refused as error:
            yield Sign("unknown", "%s could not be read" % error, process.command)
    if newest is not None:
        at, process, file = newest
        name = without_deleted(file.link).rpartition("/")[2]
        yield Sign("wrote", "wrote a file", process.command, min(at, int(scene.taken)), "wrote %s" % name)


def _written(process: Process, scene: Scene) -> List[OpenFile]:
    """What a process holds open for writing and may be a file: a path, and no device."""
    held = scene.files(process)
    return [file for file in held if file.for_writing and file.link[:1] == "/" and not file.link.startswith("/dev/")]
