# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The screen of whoever runs Ansible: how wide it is, what was typed, and how a text gets there as it is written."""

import os
from typing import List, Sequence

from ansible import constants, context
from ansible.utils.display import Display
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import shown
from ansible_collections.fleet.tmux.plugins.plugin_utils._summary import Asked
from ansible_collections.fleet.tmux.plugins.plugin_utils._table import Paper

COMMAND, LIMIT = "FLEET_TMUX_COMMAND", "FLEET_TMUX_LIMIT"
"""Where make leaves the command for a cleanup of the same inventory, and to which hosts of it this run is limited."""

_OF_PROGRAMS = ("json", "jsonl", "null")
"""What prints results in these ways has readers that stumble over anything else; the results have the text too."""


class AtTheEnd:
    """Whether a callback shows the texts at the end of everything. Set before there are workers, which inherit it."""

    wanted = False


def paper() -> Paper:
    """What a report is written on that is shown now."""
    return Paper(columns(), folded=True, asked=_asked())


def in_question(besides: Sequence[str]) -> Paper:
    """The same, while it is not yet said that it is to be done: so not what to do next, either."""
    return Paper(columns(), folded=True, proposed=True, besides=besides)


def columns() -> int:
    """How wide the screen is: at least 79 columns, and as wide as lines that others print."""
    return int(Display().columns or 79)


def _asked() -> Asked:
    return Asked(os.environ.get(COMMAND, ""), os.environ.get(LIMIT, ""), bool(context.CLIARGS.get("check")))


def say(text: str) -> bool:
    """Show a text as it is written, unless somebody else does so later, or whatever shows results must do it alone."""
    if AtTheEnd.wanted or not for_people():
        return False
    print_out(text)
    return True


def for_people() -> bool:
    """Whether people read the output."""
    return str(constants.config.get_config_value("DEFAULT_STDOUT_CALLBACK")).rpartition(".")[2] not in _OF_PROGRAMS


def print_out(text: str) -> None:
    """Show a text now."""
    Display().display("\n" + "\n".join(_lines(text)))


def _lines(text: str) -> List[str]:
    return [shown(line) for line in text.split("\n")]
