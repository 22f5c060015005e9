# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When the newest process was started that counts: every loop that polls, every step of a build.

Somebody has started what only shows, too: that counts, and not what this starts again and again.
"""

from typing import Iterator, List

from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process
from ansible_collections.fleet.tmux.plugins.module_utils._signs.roles import SHOWS, Cast
from ansible_collections.fleet.tmux.plugins.module_utils._signs.scene import Scene
from ansible_collections.fleet.tmux.plugins.module_utils._signs.sign import Sign


def starts(cast: Cast, scene: Scene) -> Iterator[Sign]:
    """The newest start, of those processes that are seen from inside: others' show none."""
    known = [process for process in (*cast.counting, *_opened(cast)) if not process.is_others]
    if known:
        newest = max(known, key=lambda process: process.started)
        yield Sign("started", "a process was started", newest.command, scene.started(newest))


def _opened(cast: Cast) -> List[Process]:
    """What shows something in the foreground, but for what is below another one that does."""
    shown = {process.pid: process for process in cast.of(SHOWS)}
    return [process for process in shown.values() if process.is_foreground and process.ppid not in shown]
