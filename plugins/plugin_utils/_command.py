# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command of the admin's choice that is told of a report on the controller, to send it on.

It gets the report as a text on its standard input, and where the files are and what it comes to in its environment. It
is run without a shell, and whatever becomes of it, the cleanup is done and the report written.
"""

import os
import signal
import subprocess
import tempfile
from typing import Any, Dict, List, Mapping, Sequence

from ansible_collections.fleet.tmux.plugins.module_utils._host.text import shown
from ansible_collections.fleet.tmux.plugins.plugin_utils._publish import AUDIT, METRICS, PAGE, REPORT
from ansible_collections.fleet.tmux.plugins.plugin_utils._summary import headline

Json = Dict[str, Any]

PATIENCE = 300.0
"""Seconds that it may take."""
_OUTPUT = 2000
"""Characters of the end of its output that are told."""

PREFIX = "TMUX_CLEANUP_"
_FILES = {"REPORT_JSON": REPORT, "REPORT_HTML": PAGE, "AUDIT": AUDIT, "METRICS": METRICS}


def variables(report: Mapping[str, Any], files: Sequence[str]) -> Dict[str, str]:
    """What the command has in its environment besides what Ansible has; a file that was not written is empty."""
    paths = {os.path.basename(path): path for path in files}
    totals = report["totals"]
    told = {
        "REPORT_DIR": os.path.dirname(files[0]) if files else "",
        **{name: paths.get(file, "") for name, file in _FILES.items()},
        "HEADLINE": headline(report),
        "RUN": report["run"]["id"],
        "HOSTS": totals["hosts"],
        "HOSTS_WITH_A_PROBLEM": totals["hosts"] - totals["ok"],
        "LOOKED_AT": totals["looked_at"],
        **{outcome.upper(): totals[outcome] for outcome in ("removed", "marked", "kept", "not_done")},
        "STOPPED": int(report["guard"]["stopped"]),
    }
    return {PREFIX + name: str(value) for name, value in told.items()}


def unread(name: str, error: Exception) -> Json:
    """What is said of a command that is not known, because the variable or option of this name cannot be read."""
    return {"rc": None, "output": "", "problem": f"{name} cannot be read, so nothing was run: {shown(str(error))}"}


def run(
    command: Sequence[str], text: str, told: Mapping[str, str], name: str = "command", patience: float = PATIENCE
) -> Json:
    """Run it: its exit status (None when there is none), the end of its output, and what went wrong, or nothing.

    :param name: the variable or option that it comes from.
    """

    def problem(what: str) -> str:
        return f"{name}: {shown(command[0])} {what}"

    try:
        rc, output = _run(command, text, dict(os.environ, **told), patience)
    except (OSError, ValueError) as error:
        return {"rc": None, "output": "", "problem": problem(f"cannot be run: {error}")}
    if rc is None:
        return {"rc": rc, "output": output, "problem": problem(f"was ended after {patience:g} seconds")}
    said = f": {output}" if output else ""
    return {"rc": rc, "output": output, "problem": problem(f"ended with {rc}{said}") if rc else ""}


def _run(command: Sequence[str], text: str, env: Mapping[str, str], patience: float) -> Any:
    # Files and no pipes: whoever inherits them and stays, or reads nothing, holds nobody up.
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as said:
        given.write(text.encode("utf-8", "backslashreplace") + b"\n")
        given.seek(0)
        with subprocess.Popen(
            list(command), stdin=given, stdout=said, stderr=subprocess.STDOUT, env=env, start_new_session=True
        ) as process:
            rc = _ended(process, patience)
        said.seek(max(0, said.seek(0, os.SEEK_END) - 4 * _OUTPUT))
        return rc, _end(said.read(4 * _OUTPUT).decode("utf-8", "replace"))


def _ended(process: "subprocess.Popen[bytes]", patience: float) -> Any:
    try:
        return process.wait(patience)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return None


def _end(output: str) -> str:
    lines: List[str] = [shown(line) for line in output.strip().splitlines()]
    return "\n".join(lines)[-_OUTPUT:]
