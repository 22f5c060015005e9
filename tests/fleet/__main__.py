# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands of the test fleet, from any checkout: `python3 tests/fleet --help`, `... scale -h`, `... soak -h`."""

import importlib
import sys
import types
from pathlib import Path

NAMESPACE = "ansible_collections.fleet.tmux"


def make_importable(checkout: Path) -> None:
    """Let Python find the checkout as the collection, wherever it lies and whatever it is called."""
    parts = NAMESPACE.split(".")
    for length in range(1, len(parts) + 1):
        package = types.ModuleType(".".join(parts[:length]))
        package.__path__ = [str(checkout)] if length == len(parts) else []
        sys.modules[package.__name__] = package


def main() -> int:
    make_importable(Path(__file__).resolve().parents[2])
    apart = [word for word in sys.argv[1:2] if word in ("scale", "soak")]
    commands = importlib.import_module(".".join([NAMESPACE, "tests", "fleet", *(apart or ["fleet"])]))
    return int(commands.main(sys.argv[1 + len(apart) :]) or 0)


if __name__ == "__main__":
    sys.exit(main())
