# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files are called as they are called where the locale is C, too, as it is for cron."""

import os
import subprocess
import sys
from pathlib import Path
from typing import List

IN_C = dict(os.environ, LC_ALL="C", PYTHONCOERCECLOCALE="0", PYTHONUTF8="0")
BEGINS = """
import json, os, sys
sys.path[:0] = json.loads(sys.argv[1])
folder = sys.argv[2]
from ansible_collections.fleet.tmux.plugins.module_utils._actions import clean_up, log
from ansible_collections.fleet.tmux.plugins.module_utils._host import folders
from ansible_collections.fleet.tmux.plugins.module_utils._host.births import birth_of
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import read_process
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.pipes import fits
assert sys.getfilesystemencoding().lower() != "utf-8"
"""


def said(folder: Path, script: str) -> List[str]:
    """What is said there, by a process with a variable that is called so, too."""
    env = {os.fsencode(name): os.fsencode(value) for name, value in IN_C.items()}
    env["ü".encode("utf-8")] = b"x"
    words = [sys.executable, "-c", BEGINS + script, _paths(), str(folder)]
    return subprocess.check_output(words, env=env, timeout=60).decode("ascii").splitlines()


def _paths() -> str:
    return "[%s]" % ", ".join('"%s"' % path for path in sys.path if path)


def test_they_are_removed_and_no_name_costs_another(tmp_path: Path) -> None:
    (tmp_path / "ü").mkdir()
    for name in ("ü/é", "log ü", "plain"):
        (tmp_path / name).write_text("")
    script = r"""
me = User("me", os.geteuid(), os.getegid())
names = ["log \xfc", "\ud800", "\xfc/\xe9", "plain"]
groups = [clean_up._Group([folder + "/" + name], name in names[:2], None) for name in names]
done = clean_up._clean_up(groups, me, 30, False, "", False)
print(len(done.removed), ascii([os.path.basename(path) for path in done.left]))
"""
    assert said(tmp_path, script) == ["3 ['\\ud800']"]
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["ü"]


def test_and_told_from_what_is_too_long(tmp_path: Path) -> None:
    assert said(tmp_path, r'print(fits("/\xfc"), fits("/" + "\xfc" * 2000))') == ["True False"]


def test_a_process_is_known_that_has_such_a_variable(tmp_path: Path) -> None:
    script = r'print(ascii(birth_of(read_process(os.getpid()), os.geteuid()).variables["\xfc"]))'
    assert said(tmp_path, script) == ["'x'"]


def test_a_log_is_had_there(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    script = r"""
me = User("me", os.geteuid(), os.getegid())
for limited in (False, True):
    log.require_logs([log.Log(folder + "/\xfc.log")], [], log.Wish(me, limited), 30, True)
print(folders.found_at(folder + "/\xfc.log", os.geteuid(), folders.Mounts()) is not None)
"""
    assert said(tmp_path, script) == ["True"]
    assert [path.name for path in tmp_path.iterdir()] == ["ü.log"]
