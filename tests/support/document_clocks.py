# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write what the modules' documentation says of clocks, from the table of fields.

    PYTHONPATH=/where/ansible_collections/is python tests/support/document_clocks.py

Between the two comments of each module, nothing is written by hand; a test compares.
"""

import re
from pathlib import Path

from ansible_collections.fleet.tmux.plugins.module_utils._tmux.fields import CLOCKS

ROOT = Path(__file__).resolve().parents[2]
MODULES = ("tmux_session_info", "tmux_session_prune")
_BLOCK = re.compile(
    r"^(?P<indent> *)# The clocks, from the table of fields\.\n(?P<text>.*?)^ *# The end of the clocks\.\n",
    re.MULTILINE | re.DOTALL,
)


def path_of(module: str) -> Path:
    return ROOT / "plugins" / "modules" / (module + ".py")


def documented(source: str) -> str:
    """A module with the documentation of its clocks as it should be."""
    return _BLOCK.sub(lambda block: _block(block["indent"]), source)


def _block(indent: str) -> str:
    lines = ["# The clocks, from the table of fields."]
    first = {clock.word: clock for clock in reversed(CLOCKS)}
    for word in dict.fromkeys(clock.word for clock in CLOCKS):
        lines += [word + ":", "  description: " + first[word].meaning, "  type: int", "  returned: always"]
    lines.append("# The end of the clocks.")
    return "".join(indent + line + "\n" for line in lines)


def main() -> None:
    for module in MODULES:
        path = path_of(module)
        path.write_text(documented(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
