# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Record what each tmux lists of the same little world, for test_model.py.

    PYTHONPATH=/where/ansible_collections/is python tests/support/record_listings.py TMUX ...

Each binary's listing is written to listings/VERSION.txt of that test. The commands and the formats are those of the
model, the nonce is always the same; columns.json says what was asked for. Record all again when it matters what they
say of a new field: until then they list it empty.
"""

import json
import os
import sys
from pathlib import Path

from ansible_collections.fleet.tmux.plugins.module_utils._tmux import fields
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import model as _model
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.fields import CLIENT, PANE, SESSION, WINDOW
from ansible_collections.fleet.tmux.tests.support.waiting import eventually
from ansible_collections.fleet.tmux.tests.support.world import World

NONCE = "0123456789abcdef"
LISTINGS = Path(__file__).parents[1] / "unit" / "plugins" / "module_utils" / "_tmux" / "fixtures" / "listings"


def build(world: World) -> str:
    """Make sessions of every kind; names say what is in them. The id of ``kept``."""
    world.start()
    world.tmux("set-option", "-g", "automatic-rename", "off")
    world.tmux("set-option", "-g", "remain-on-exit", "on")
    cat = ["--", "sh", "-c", "read line"]
    world.tmux("new-session", "-d", "-s", "three panes", "-n", "one", "-c", "/", *cat)
    world.tmux("new-window", "-d", "-t", "three panes:", "-n", "two|,;'\"", "-c", "/", *cat)
    world.tmux("split-window", "-d", "-t", "three panes:two|,;'\"", "-c", "/", *cat)
    kept = world.tmux("new-session", "-d", "-P", "-F", "#{session_id}", "-s", "kept", "-n", "w", "-c", "/", *cat)
    world.tmux("set-option", "-t", kept, "@keep", "2026-12-24 #{pid}")
    world.tmux("new-session", "-d", "-s", "group", "-n", "w", "-c", "/", *cat)
    world.tmux("new-session", "-d", "-t", "group", "-s", "peer")
    for name in ("a, b} 'c' \"d\" #{e 🙂", "x$y", "line\nbreak"):
        # Where tmux rewrites or refuses a name, that is recorded, too.
        world.run("new-session", "-d", "-s", name.replace("#", "##"), "-n", "w", "-c", "/", *cat)
    world.tmux("new-session", "-d", "-s", "exited", "-n", "w", "-c", "/", "--", "sh", "-c", "exit 3")
    world.tmux("new-session", "-d", "-s", "shot", "-n", "w", "-c", "/", "--", "sh", "-c", "kill -KILL $$")
    panes = world.tmux("list-panes", "-a", "-F", "#{pane_id}").split()
    for pane in panes:
        world.tmux("select-pane", "-t", pane, "-T", "title of " + pane)
    dead = ("list-panes", "-a", "-F", "#{pane_dead}")
    eventually(lambda: world.reap() and world.tmux(*dead).split().count("1") == 2, "two have ended")
    running = ["list-panes", "-a", "-F", "#{pane_current_command}"]
    eventually(lambda: set(world.tmux(*running).split()) <= {"sh", "cat"}, "all run what they should")
    return kept


def main() -> None:
    asked = {kind: fields.columns(of) for kind, of in zip("swpc", (SESSION, WINDOW, PANE, CLIENT))}
    (LISTINGS / "columns.json").write_text(json.dumps(asked, indent=2) + "\n", encoding="utf-8")
    for binary in sys.argv[1:]:
        world = World(binary)
        try:
            kept = build(world)
            with world.attached(kept):
                done = world.client().call(_model._listing(NONCE))
            server = world.tmux("display-message", "-p", "-t", "first:", "#{version}") or "2.7"
        finally:
            world.stop()
        text = done.replace(os.fsencode(world.folder), b"/home/tester")
        (LISTINGS / ("%s.txt" % server)).write_bytes(text)


if __name__ == "__main__":
    main()
