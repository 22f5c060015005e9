#: /usr/bin/python3
# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What somebody has tried at a prompt: a timer that ticks on."""

import threading


def tick() -> None:
    timer = threading.Timer(0.5, tick)
    timer.daemon = True
    timer.start()


tick()
