# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All readers of signs, in order of what they cost: reading stops at the first sign that keeps a session."""

from typing import Callable, Iterable, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._signs.editors import editors
from ansible_collections.fleet.tmux.plugins.module_utils._signs.files import files
from ansible_collections.fleet.tmux.plugins.module_utils._signs.network import network
from ansible_collections.fleet.tmux.plugins.module_utils._signs.roles import Cast
from ansible_collections.fleet.tmux.plugins.module_utils._signs.scene import Scene
from ansible_collections.fleet.tmux.plugins.module_utils._signs.sign import Sign
from ansible_collections.fleet.tmux.plugins.module_utils._signs.starts import starts
from ansible_collections.fleet.tmux.plugins.module_utils._signs.unseen import unseen
from ansible_collections.fleet.tmux.plugins.module_utils._signs.waiting import stopped, waiting

Reader = Callable[[Cast, Scene], Iterable[Sign]]

READERS: Tuple[Reader, ...] = (starts, stopped, files, network, waiting, editors, unseen)
