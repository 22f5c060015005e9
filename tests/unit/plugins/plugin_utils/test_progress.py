# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The line that says how many hosts are done: on a terminal only, and out of the way of whatever else is printed."""

import io
import multiprocessing
from typing import List

import pytest
from ansible_collections.fleet.tmux.plugins.plugin_utils._progress import Progress, giving_way


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True

    @property
    def lines(self) -> List[str]:
        """What is on the screen."""
        shown = [""]
        for part in self.getvalue().replace("\r\x1b[K", "\0").replace("\n", "\n\0").split("\0"):
            if part:
                shown[-1] = part.rstrip("\n")
            else:
                shown[-1] = ""
            if part.endswith("\n"):
                shown.append("")
        return shown


def test_it_says_how_many_hosts_are_done() -> None:
    stream = Terminal()
    progress = Progress(stream, 79, "xterm")
    progress.begin()
    progress.expect(26)
    for host in ("web1", "web2", "web2"):
        progress.done(host)
    assert stream.lines == ["2 of 26 hosts done"]
    progress.done("web3", well=False)
    assert stream.lines == ["3 of 26 hosts done, 1 with a problem"]
    assert progress.clear()
    assert stream.lines == [""]
    assert not progress.clear()


def test_what_is_printed_stands_above_it() -> None:
    stream = Terminal()
    progress = Progress(stream, 79, "xterm")
    printed = giving_way(progress, lambda text: stream.write(text + "\n"))
    printed("PLAY")
    progress.begin()
    progress.expect(2)
    progress.done("web1")
    printed("changed: [web2]")
    progress.done("web2")
    assert stream.lines == ["PLAY", "changed: [web2]", "2 of 2 hosts done"]
    progress.clear()
    printed("PLAY RECAP")
    assert stream.lines == ["PLAY", "changed: [web2]", "PLAY RECAP", ""]


def test_it_is_no_longer_than_a_line() -> None:
    stream = Terminal()
    progress = Progress(stream, 10, "xterm")
    progress.done("web1", well=False)
    assert stream.lines == ["1 host don"]


@pytest.mark.parametrize(("stream", "terminal"), [(io.StringIO(), "xterm"), (Terminal(), "dumb"), (Terminal(), "")])
def test_nothing_is_written_to_what_is_no_terminal(stream: io.StringIO, terminal: str) -> None:
    progress = Progress(stream, 79, terminal)
    printed = giving_way(progress, stream.write)
    progress.done("web1")
    printed("text")
    progress.clear()
    assert stream.getvalue() == "text"


def test_a_terminal_that_is_gone_costs_nothing() -> None:
    stream = Terminal()
    progress = Progress(stream, 79, "xterm")
    stream.close()
    progress.done("web1")
    progress.clear()


def test_a_worker_does_not_touch_the_line() -> None:
    stream = Terminal()
    progress = Progress(stream, 79, "xterm")
    progress.done("web1")
    queue = multiprocessing.get_context("fork").Queue()

    def worker() -> None:
        giving_way_here("text")
        queue.put(stream.getvalue())

    giving_way_here = giving_way(progress, lambda text: None)
    process = multiprocessing.get_context("fork").Process(target=worker)
    before = stream.getvalue()
    process.start()
    assert queue.get() == before
    process.join()
