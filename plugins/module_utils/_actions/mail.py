# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mails people on this host, where it has a ``sendmail``.

It is run by whoever runs us, as cron runs it: by root, then, so that no program of the owner's can stop it, or lead out
of what the owner is held to. What comes from the owner is only the text, which is harmless, and the name of an account.
"""

import os
import re
import shutil
from typing import Optional, Sequence

from ansible_collections.fleet.tmux.plugins.module_utils._host.child import LOCALE, run
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import brief, shown, to_text

PLACES = "/usr/local/sbin:/usr/sbin:/usr/lib:/usr/bin"
"""Where a sendmail is looked for: the search path of whoever logs in for Ansible may lack them."""

# What mail programs do with other characters differs: some expand, some take them for an address elsewhere.
_ACCOUNT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}\Z")


def send(account: str, subject: str, lines: Sequence[str], timeout: float) -> Optional[str]:
    """Mail an account of this host; what went wrong. Where there is no sendmail, nobody is mailed."""
    program = shutil.which("sendmail", path=PLACES)
    if program is None or account.isdigit():  # An id that has no account any more.
        return None
    if _ACCOUNT.match(account) is None:
        return "mail: %s is no name that every sendmail takes for an account of this host" % shown(account)
    # A line with nothing but a dot does not end it. All kinds take -i, and not all -oi.
    argv = [program, "-i", account]
    env = {"PATH": PLACES + ":/bin", "HOME": "/", "LANG": LOCALE}
    try:
        ended = run(argv, env=env, timeout=timeout, stdin=written(account, subject, lines))
    except OSError as error:
        return "mail: %s cannot be run: %s" % (program, error.strerror)
    if ended.timed_out:
        return "mail: %s did not end within %g seconds" % (program, timeout)
    if ended.rc != 0:
        return "mail: %s: exit status %d: %s" % (program, ended.rc, brief(to_text(ended.err).strip(), 200))
    return None


def written(account: str, subject: str, lines: Sequence[str]) -> bytes:
    """A mail as sendmail takes it. Neither account nor subject nor lines hold an end of a line."""
    head = [
        "To: %s" % account,
        "Subject: %s" % subject,
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
    ]
    return "".join(line + "\n" for line in [*head, "", *lines]).encode("utf-8", "replace")


def host_name() -> str:
    """The name of this host, as far as it is one."""
    return re.sub(r"[^A-Za-z0-9.-]", "_", os.uname().nodename)[:64]
