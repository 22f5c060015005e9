# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a module as Ansible would on the host: ``run_module.py NAME``, its parameters as JSON on stdin."""

import importlib
import sys

from ansible.module_utils import basic


def main(name: str) -> None:
    basic._ANSIBLE_ARGS = sys.stdin.buffer.read()
    basic._ANSIBLE_PROFILE = "legacy"
    importlib.import_module("ansible_collections.fleet.tmux.plugins.modules." + name).main()


if __name__ == "__main__":
    main(sys.argv[1])
