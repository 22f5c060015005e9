# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a page of the documentation shows, as a person would type it."""

import re
from typing import List, Tuple

NOT_WITHIN_A_TEST = ["make test", "apt-get update && apt-get install --yes make"]
"""The one runs these very tests, the other changes the machine: the tests in `fresh` follow them."""


def blocks(text: str) -> List[Tuple[str, str]]:
    """The language and the text of each block of code."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def commands(language: str, text: str) -> List[str]:
    """The commands that a person would run for one block."""
    if language == "sh":
        return [line for line in text.splitlines() if line not in NOT_WITHIN_A_TEST]
    # Variables for a command of the admin's are tried in tests/unit/plugins/plugin_utils/test_command.py.
    if language == "yaml" and text.startswith("- "):
        return ["ansible-playbook -i hosts.ini --check site.yml", "ansible-playbook -i hosts.ini site.yml"]
    # What a user types within tmux, and what stands in files of others.
    return []
