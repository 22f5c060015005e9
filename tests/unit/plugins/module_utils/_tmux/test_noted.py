# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is noted of files is only known where a server has listed all of it, as tmux does."""

from typing import Any, List, Sequence, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.client import Client
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.details import Noted, noted
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import parse_version
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import TmuxError
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.pipes import Pipe, pipes

Row = Tuple[str, ...]
SESSION = ("s", "9/5/$1/7", "job", "1 file=/a", "%2 0 /log %3 0 /other ")
PANE = ("p", "9/5/$1/7", "@3", "%2", "1", "70", "0")


class Told(Client):
    """A server that answers with these rows, each time with the next of them. ``cut``: without the end of the last."""

    def __init__(self, *answers: Sequence[Row], cut: int = 0) -> None:
        super().__init__("tmux", "/tmp/s", User("anna", 1001, 1001), False, 1.0)
        self.answers = list(answers)
        self.cut = cut

    def call(self, commands: Any, *_more: Any, **_also: Any) -> bytes:
        nonce = next(iter(commands))[2].partition("|")[0]
        rows: List[Row] = list(self.answers.pop(0))
        text = "".join(
            "%s|%s%s%s1.\n" % (nonce, row[0], "".join("%s,%s" % (nonce, field) for field in row[1:]), nonce)
            for row in rows
        )
        self.cut, cut = self.cut - 1, self.cut
        return (text[:-5] if cut > 0 else text).encode("ascii")


def told(client: Client) -> Any:
    return noted(client, parse_version("3.3a"))


def test_it_is_told_by_what_tells_a_session_from_all_others() -> None:
    rows = [SESSION, PANE, ("p", "9/5/$1/7", "@4", "%3", "0", "71", "1"), ("s", "9/5/$2/7", "other", "", "")]
    assert told(Told(rows)) == {
        "9/5/$1/7": Noted("job", "1 file=/a", ("/log",), ("%2", "%3", "@3", "@4"), ("%2", "%3"), {"%2": 70}),
        "9/5/$2/7": Noted("other", ""),
    }


def test_what_was_cut_off_is_asked_for_again() -> None:
    assert list(told(Told(*[[SESSION, PANE]] * 2, cut=1))) == ["9/5/$1/7"]
    with pytest.raises(TmuxError, match="could not be read"):
        told(Told(*[[SESSION, PANE]] * 4, cut=4))


@pytest.mark.parametrize(
    "row", [("s", "9/5/$1/7"), ("p", "9/5/$1/7", "@3", "1"), ("x", "a", "b", "c"), (*PANE, "more")]
)
def test_what_no_tmux_prints_is_not_taken_for_all(row: Row) -> None:
    with pytest.raises(TmuxError, match="could not be read"):
        told(Told(*[[SESSION, PANE, row]] * 4))


@pytest.mark.parametrize("row", [("s",), ("p",), ("p", "%2"), ("p", "%2", "1", "1")])
def test_where_output_is_written_is_only_known_of_what_tmux_can_have_said(row: Row) -> None:
    rows = [("s", "%2 0 /log "), ("p", "%2", "1"), row]
    assert pipes(Told(rows)) == {"%2": Pipe(True, "/log")}
