# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a report comes to: the verdict, what to look after, and the sums. Pure."""

import re
import shlex
from typing import Any, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._actions.restore import SCRIPT
from ansible_collections.fleet.tmux.plugins.module_utils._actions.texts import server_of
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import spoken
from ansible_collections.fleet.tmux.plugins.plugin_utils._cells import lines, moment, short
from ansible_collections.fleet.tmux.plugins.plugin_utils._policies import in_words
from ansible_collections.fleet.tmux.plugins.plugin_utils._report import STATUSES
from ansible_collections.fleet.tmux.plugins.plugin_utils._words import (
    Report,
    Words,
    grouped,
    many,
    sized,
    words_of,
)


class Banner(NamedTuple):
    """What a reader must know first."""

    tone: str
    title: str
    text: str


class Total(NamedTuple):
    """A sum, and what is said of it."""

    label: str
    value: str
    note: str = ""
    tone: str = ""


_MOST_PORTS = 10


class Asked(NamedTuple):
    """How the run was started, as far as it is known.

    ``command``: what is typed for a cleanup of its whole inventory. ``limit``: the hosts to which it was limited.
    ``checked``: whether Ansible itself was told to check only.
    """

    command: str = ""
    limit: str = ""
    checked: bool = False

    def again(self, limit: str) -> str:
        """What is typed for a cleanup of these hosts, which stand before all that is long."""
        start, args, rest = self.command.partition(" ARGS=")
        return f"{start} LIMIT={shlex.quote(limit)}{args}{rest}" if limit else self.command


class Summary(NamedTuple):
    """All that is said of a whole report."""

    verdict: str
    troubles: str
    took: str
    policy: str
    banners: List[Banner]
    totals: List[Total]


def summary(report: Report) -> Summary:
    """What a report comes to."""
    words = words_of(report)
    return Summary(
        _verdict(report, words),
        _troubles(report["totals"], len(report["run"].get("unread", ()))),
        _took(report["run"]),
        _policy(report["run"]),
        list(_banners(report)),
        [*_totals(report["totals"], words), _survivors(report)],
    )


def headline(report: Report) -> str:
    """What a report comes to, in a line."""
    told = summary(report)
    return " ".join(f"{part}." for part in (told.verdict, told.troubles) if part)


def _verdict(report: Report, words: Words) -> str:
    if not report["totals"]["hosts"]:
        return "No host was looked at"
    if _blind(report["totals"]):
        return "No host could be looked at"
    return words.stopped if report["guard"]["stopped"] else _removed(report, words)


def _blind(totals: Report) -> bool:
    """Whether there is a problem on every host, and nothing is known of any session."""
    return not (totals["ok"] or totals["looked_at"])


def _removed(report: Report, words: Words) -> str:
    """How many of how many: ``3 of 40 sessions on 12 hosts removed, 2 given notice``."""
    removed, marked, looked_at, hosts = (report["totals"][key] for key in ("removed", "marked", "looked_at", "hosts"))
    said = [f"{grouped(removed)} of {many(looked_at, 'session')} on {many(hosts, 'host')} {words.removed}"]
    said += [f"{grouped(marked)} given notice"] if marked else []
    said += [_taken_back(report["totals"])] if report["totals"]["unmarked"] else []
    return ", ".join(said)


def _taken_back(totals: Report) -> str:
    return f"{many(totals['unmarked'], 'notice')} taken back"


def _troubles(totals: Report, unread: int) -> str:
    """What an admin has to look after, or nothing."""
    not_done, hosts = totals["not_done"], totals["hosts"] - totals["ok"]
    parts = [f"{many(unread, 'report')} not merged"] if unread else []
    parts += [f"{many(not_done, 'session')} not done"] if not_done else []
    if totals["over_limit"]:
        over = totals["over_limit"]
        parts.append("%s over a limit" % ("1 owner is" if over == 1 else f"{grouped(over)} owners are"))
    if hosts:
        parts.append("%s a problem" % ("1 host has" if hosts == 1 else f"{grouped(hosts)} hosts have"))
    return ", ".join(parts)


def _took(run: Report) -> str:
    started, finished = moment(run["started"]), moment(run["finished"])
    if started is None or finished is None or finished < started:
        return ""
    return spoken(int((finished - started).total_seconds()))


def _policy(run: Report) -> str:
    """What the run was told, without what it was not."""
    policies = run.get("policies") or ()
    if len(policies) > 1:
        return f"hosts have {len(policies)} different ones, each of which is told"
    return short(in_words(run["policy"] or {}))


def _banners(report: Report) -> List[Banner]:
    found = [_check_mode(report), _guard(report), _merged(report), _nothing(report["totals"])]
    return [banner for banner in found if banner is not None]


def _check_mode(report: Report) -> Optional[Banner]:
    if not report["run"]["check_mode"]:
        return None
    return Banner("info", "Check mode: nothing was done.", "This is what a real run would have done.")


def _guard(report: Report) -> Optional[Banner]:
    guard = report["guard"]
    if guard["stopped"]:
        looked_only = report["run"]["check_mode"]
        title = "A real run would remove nothing." if looked_only else "Nothing was removed on any host."
        return Banner("bad", title, lines(guard["message"]) + ".")
    if guard["message"]:
        return Banner("bad", "Nothing was removed by a part of the runs.", lines(guard["message"]))
    return None


def _merged(report: Report) -> Optional[Banner]:
    runs = report["run"]["merged"]
    return Banner("plain", "A merged report.", f"It holds the results of {many(len(runs), 'run')}.") if runs else None


def _nothing(totals: Report) -> Optional[Banner]:
    """What to say where there is nothing to show."""
    if not totals["hosts"]:
        return Banner("plain", "There was nothing to do:", "the run had no hosts.")
    if totals["looked_at"] or _blind(totals):
        return None
    left_out = totals["not_matched"]
    why = f" Patterns or excludes left out {many(left_out, 'session')}." if left_out else ""
    return Banner("plain", "There was nothing to do:", f"no host showed a session to look at.{why}")


def _totals(totals: Report, words: Words) -> List[Total]:
    oldest, left_out = totals["oldest_idle"], totals["not_matched"]
    processes = many(totals["freed_processes"], "process", "processes")
    return [
        Total("Hosts", *_hosts(totals)),
        Total(
            "Looked at", grouped(totals["looked_at"]), f"{grouped(left_out)} left out by patterns" if left_out else ""
        ),
        Total(words.to_remove, grouped(totals["removed"]), "", "removed"),
        Total(words.to_mark, grouped(totals["marked"]), _taken_back(totals) if totals["unmarked"] else "", "marked"),
        Total(
            words.to_keep, grouped(totals["kept"]), "" if oldest is None else f"longest idle {spoken(oldest)}", "kept"
        ),
        Total("Not done", grouped(totals["not_done"]), "", "not_done"),
        Total(words.freed, sized(totals["freed_bytes"]), processes),
    ]


def _survivors(report: Report) -> Total:
    """How many there are, and where they listen."""
    number = report["totals"]["survivors"]
    listed = [each for host in report["hosts"] for session in host["sessions"] for each in session["survivors"]]
    ports = sorted({port for each in listed for port in each.get("ports") or ()})
    said = [
        *map(str, ports[:_MOST_PORTS]),
        *([f"{grouped(len(ports) - _MOST_PORTS)} more"] if ports[_MOST_PORTS:] else []),
    ]
    note = f"outlived their session, listening on {', '.join(said)}" if said else "outlived their session"
    return Total("Survivors", grouped(number), note if number else "")


def _hosts(totals: Any) -> Tuple[str, str, str]:
    told = ", ".join(f"{grouped(totals[status])} {status}" for status in STATUSES if totals[status])
    return grouped(totals["hosts"]), told, "trouble" if totals["ok"] != totals["hosts"] else ""


# --- what to do next --------------------------------------------------------------------------------------------------

_MOST_NAMED = 5
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,63}\Z")
"""More hosts than this are not named in a command."""


class Step(NamedTuple):
    """What to do, and the command for it, if there is one."""

    words: str
    command: str = ""


def next_step(report: Report, asked: Asked, filed: bool) -> Step:
    """What to do next; nothing where a reader knows best.

    :param filed: whether the report was written to files.
    """
    totals = report["totals"]
    if not totals["hosts"] or report["run"].get("merged"):
        return Step("")
    if report["guard"]["stopped"]:
        return Step("look at what would go; if all of it should, raise the limit.")
    if report["run"]["check_mode"]:
        return _after_a_check(totals, asked)
    return _after_a_run(report, asked, filed)


def _after_a_check(totals: Report, asked: Asked) -> Step:
    if not (totals["removed"] or totals["marked"]):
        return Step("mend what is said of the hosts with a problem, and look again.") if _troubled(totals) else Step("")
    if asked.command:
        return Step("what is told above is done by", asked.again(asked.limit))
    if asked.checked:
        return Step("the same command without --check does what is told above.")
    return Step("fleet.tmux.cleanup does what is told above, without tmux_cleanup_report_only.")


def _troubled(totals: Report) -> bool:
    return bool(totals["hosts"] != totals["ok"])


def _after_a_run(report: Report, asked: Asked, filed: bool) -> Step:
    if _troubled(report["totals"]):
        return _again([host["host"] for host in report["hosts"] if host["status"] != "ok"], asked)
    saved = [
        (host["scope"], one["owner"], one["snapshot"], one["socket"])
        for host in report["hosts"]
        for one in host["sessions"]
        if one["snapshot"]
    ]
    if saved:
        return _way_back(saved)
    if report["totals"]["marked"]:
        return Step("a later run removes what was given notice and nobody has used by then.")
    return Step("" if filed else "to have a report in files, name a directory with tmux_cleanup_report_dir.")


def _way_back(saved: Sequence[Tuple[Any, str, str, str]]) -> Step:
    """How a session comes back. What is saved is its owner's, who may exchange the script: nobody else is to run it."""
    scope, owner, place, socket = saved[0]
    server = server_of(short(socket))
    if len(saved) > 1 or _USER.match(owner) is None:
        owner, place, server = "OWNER", "SAVED_IN", []
    become = "" if scope == "own" or owner == "root" else f"sudo -u {owner} "
    command = " ".join([f"{become}sh {shlex.quote(short(place))}/{SCRIPT}", *server])
    return Step("whoever misses a session of theirs gets it back with", command)


def _again(hosts: List[str], asked: Asked) -> Step:
    mended = "mend what is said of the hosts with a problem, then"
    named = short(",".join(hosts)) if len(hosts) <= _MOST_NAMED else ""
    if asked.command:
        return Step(mended, asked.again(named or asked.limit))
    limited = f" with --limit {shlex.quote(named)}" if named else " again"
    return Step(f"{mended} the same command{limited}.")
