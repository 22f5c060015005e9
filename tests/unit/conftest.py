# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""These tests need no tmux: they run anywhere, also as `ansible-test units`."""

from ansible_collections.fleet.tmux.tests.support import examples

examples.load()
