# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What could have protected a session, and could not be seen. Readers of other signs say what they could not read."""

import os
from typing import Iterator

from ansible_collections.fleet.tmux.plugins.module_utils._host import rights
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import HEADLESS
from ansible_collections.fleet.tmux.plugins.module_utils._signs.roles import WORKS, Cast
from ansible_collections.fleet.tmux.plugins.module_utils._signs.scene import Scene
from ansible_collections.fleet.tmux.plugins.module_utils._signs.sign import Sign


def unseen(cast: Cast, scene: Scene) -> Iterator[Sign]:
    """The first of what could not be seen."""
    if cast.hidden:
        yield Sign("unknown", "the process of a pane could not be seen")
        return
    for process in cast.of(WORKS):
        if process.state == HEADLESS:
            yield Sign("unknown", "a process has ended but for some of its threads", process.command)
            return
        if process.is_others:
            yield Sign("unknown", "a process of another user could only be seen from outside", process.command)
            return
    if _is_front_hidden(cast, scene):
        yield Sign("unknown", "what has the terminal of a pane could not be seen")
        return
    if cast.holding and not _can_read_home(scene):
        yield Sign("unknown", "the home of its owner could not be read, by its owner either")


def _is_front_hidden(cast: Cast, scene: Scene) -> bool:
    """Whether a pane's program has given its terminal to a process group of which nobody is in the table (hidepid)."""
    if any(each.is_others for each in cast.processes):
        return False  # Who is another user is seen, and told of above.
    programs = [each for each in cast.processes if each.pid in cast.session.pids]
    given = {each.terminal for each in programs if each.terminal and each.foreground > 0 and not each.is_foreground}
    return bool(given - {each.terminal for each in scene.processes.table.values() if each.is_foreground})


def _can_read_home(scene: Scene) -> bool:
    """Whether a user can look into his home, if there is one: without that, no file of his tells anything."""
    with rights.of(scene.user):
        try:
            with os.scandir(scene.user.home) as names:
                next(names, None)
        except (FileNotFoundError, NotADirectoryError):
            return True
        except OSError:
            return False
    return True
