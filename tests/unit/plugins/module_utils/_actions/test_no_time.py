# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A tmux that cuts off what it has no time for is asked again, and nothing that it did not read passes for the same."""

import re
from typing import Any, Callable, Dict, List, Sequence

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions import remove as removal
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import dialect, model
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import parse_version
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import Silent
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Session
from ansible_collections.fleet.tmux.tests.support import sessions as make

NEW, OLD = "3.7c", "3.6b"
IDLE = make.session("idle", identity="99/5/$1/1/idle")
OTHER = make.session("other", id="$2", identity="99/5/$2/1/other")


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "_PAUSE", 0)


class Busy:
    """A server that does to a listing what it is told, the first time and each time after."""

    def __init__(self, version: str, *does: Callable[[str], str], says: Sequence[str] = ()) -> None:
        self.version = version
        self.held = [IDLE, OTHER]
        self.does = list(does)
        self.says = list(says)
        self.listed = 0
        self.ordered: List[List[str]] = []

    def call(self, commands: Sequence[Sequence[str]]) -> bytes:
        nonce = re.findall("[0-9a-f]{16}", commands[0][2])[0]
        whole = make.listed(self.held, nonce, self.version).decode()
        do = self.does[min(self.listed, len(self.does) - 1)] if self.does else str
        self.listed += 1
        return do(whole).encode()

    def script(self, commands: Sequence[Sequence[str]], version: Any, work: int = 0) -> bytes:
        """Each order: the next word of what it says, the last one for all that are left."""
        self.ordered.append([command[3] for command in commands])
        lines = []
        for command in commands:
            nonce = re.findall("([0-9a-f]{16}) done", command[5])[0]
            said = self.says.pop(0) if len(self.says) > 1 else self.says[0]
            lines.append("%s %s %s\n" % (nonce, said, command[3]))
            if said == "done" and "kill-session" in command[5]:
                self.held = [session for session in self.held if session.id != command[3]]
        return "".join(lines).encode()


def without(kind: str) -> Callable[[str], str]:
    """Rows of a kind of the first session, of which nothing was done in time."""
    row = re.compile("[0-9a-f]{16}[|]%s[0-9a-f]{16},[$]1[0-9a-f]{16}," % kind)
    return lambda listing: "".join(line for line in listing.splitlines(True) if not row.match(line))


def cut_off(kind: str) -> Callable[[str], str]:
    """Rows of a kind whose last fields were not done in time."""

    def cut(listing: str) -> str:
        lines = listing.splitlines(True)
        return "".join(line.replace("1.\n", ".\n") if "|" + kind in line else line for line in lines)

    return cut


def read(server: Busy) -> Dict[str, List[str]]:
    listing = model.read(server)  # type: ignore[arg-type]
    return {"read": [it.name for it in listing.sessions], "unread": [it.id for it in listing.unread]}


BOTH = {"read": ["idle", "other"], "unread": []}


@pytest.mark.parametrize("how", [cut_off, without], ids=["cut off", "without"])
@pytest.mark.parametrize("kind", "sgwp")
def test_what_was_not_listed_whole_is_listed_again(kind: str, how: Callable[[str], Callable[[str], str]]) -> None:
    server = Busy(NEW, how(kind), str)
    assert read(server) == BOTH
    assert server.listed == 2


def test_a_client_that_was_not_listed_in_time_is_missed() -> None:
    attached = Busy(NEW, str)
    attached.held = [IDLE._replace(attached=1)]
    assert read(attached) == {"read": [], "unread": ["$1"]}
    old = Busy(OLD, str)  # It may count one that is just going.
    old.held = attached.held
    assert read(old) == {"read": ["idle"], "unread": []}


def test_what_is_never_listed_whole_is_unread() -> None:
    server = Busy(NEW, without("g"))
    assert read(server) == {"read": ["other"], "unread": ["$1"]}
    assert server.listed == model._ATTEMPTS


def test_a_session_of_which_only_others_tell_is_not_forgotten() -> None:
    assert read(Busy(NEW, without("s"))) == {"read": ["other"], "unread": ["$1"]}
    assert read(Busy(OLD, without("s"))) == {"read": ["other"], "unread": ["$1"]}


def test_a_session_of_which_no_row_ends_is_missed() -> None:
    """It is not in the listing at all: what there is of it says that the listing is not whole."""

    def endless(listing: str) -> str:
        lines = listing.splitlines(True)
        return "".join(line.replace("1.\n", ".\n") if re.search(",[$]1[0-9a-f]{16}", line) else line for line in lines)

    server = Busy(NEW, endless, str)
    assert read(server) == BOTH
    assert server.listed == 2
    client: Any = Busy(NEW, endless, says=["done"])
    assert not removal.remove_unchanged(client, parse_version(NEW), [OTHER]).whole
    client = Busy(NEW, says=["done"])
    assert removal.remove_unchanged(client, parse_version(NEW), [OTHER]).whole


def test_a_server_that_has_time_is_asked_once() -> None:
    for server in (Busy(OLD, without("g"), str), Busy(NEW, str)):
        read(server)
        assert server.listed == 1


def test_a_listing_of_nothing_is_asked_for_again() -> None:
    assert read(Busy(NEW, lambda _listing: "\n\n", str)) == BOTH
    with pytest.raises(Silent):
        read(Busy(NEW, lambda _listing: "\n\n"))


# --- orders


def removed(server: Busy, *sessions: Session, **more: Any) -> Dict[str, str]:
    client: Any = server
    answers = removal.remove_unchanged(client, parse_version(server.version), sessions, **more).answers
    return {key: answer.result for key, answer in answers.items()}


def test_a_session_that_was_not_compared_is_compared_again() -> None:
    server = Busy(NEW, says=["kept", "done", "done"])
    assert removed(server, IDLE, OTHER) == {"$1": "done", "$2": "done"}
    assert server.ordered == [["$1", "$2"], ["$1"]]


def test_it_is_looked_at_once_more_before_that() -> None:
    looks: List[List[str]] = []

    def look(sessions: Sequence[Session]) -> Dict[str, removal.Answer]:
        looks.append([session.id for session in sessions])
        return {"$1": removal.Answer("changed", "it has begun to work")} if len(looks) > 1 else {}

    server = Busy(NEW, says=["kept"])
    assert removed(server, IDLE, last_look=look) == {"$1": "changed"}
    assert looks == [["$1"], ["$1"]] and server.ordered == [["$1"]]


def test_a_session_that_has_changed_is_not_asked_for_again() -> None:
    server = Busy(NEW, says=["kept"])
    server.held = [IDLE._replace(guard=IDLE.guard + "!")]
    assert removed(server, IDLE) == {"$1": "changed"}
    assert server.ordered == [["$1"]]


def test_a_server_that_never_has_the_time_keeps_it_and_that_is_said() -> None:
    server = Busy(NEW, says=["kept"])
    client: Any = server
    (answer,) = removal.remove_unchanged(client, parse_version(NEW), [IDLE]).answers.values()
    assert (answer.result, "so busy" in answer.detail) == ("changed", True)
    assert server.ordered == [["$1"]] * removal.ATTEMPTS


def test_an_older_server_has_compared() -> None:
    server = Busy(OLD, says=["kept", "done"])
    assert removed(server, IDLE) == {"$1": "changed"}
    assert server.ordered == [["$1"]]


def test_what_is_compared_by_identity_is_asked_for_again_too() -> None:
    server = Busy(NEW, says=["kept", "done"])
    server.held = [IDLE._replace(guard=IDLE.guard + "!")]
    client: Any = server
    removal_ = removal.remove_same(client, parse_version(NEW), [IDLE])
    assert removal_.answers["$1"].result == "done"
    assert server.ordered == [["$1"], ["$1"]]


def test_a_mark_is_given_again() -> None:
    server = Busy(NEW, says=["kept", "done"])
    client: Any = server
    answers = removal.set_options(client, parse_version(NEW), {"$1": {"@mark": "1"}}, [IDLE])
    assert answers == {"$1": removal.Answer("done")}
    assert server.ordered == [["$1"], ["$1"]]


def test_two_texts_that_were_not_read_are_not_the_same() -> None:
    """As tmux 3.7 does it: when its time is over, each part is empty, and two empty texts are equal."""
    order = removal.order_if_unchanged(IDLE, parse_version(NEW), "0" * 16)
    ((_if, _format, _to, _id, condition, _done, _kept),) = order.commands
    assert expanded(condition, guard=IDLE.guard) == "1"
    assert expanded(condition, guard="") == "0"
    for parts in range(6):
        assert expanded(condition, guard=IDLE.guard, parts=parts) != "1"
    assert dialect.IN_TIME == "#{?#{pid},1,}"


class Expansion:
    """How tmux 3.7 expands the conditions that we write. ``parts``: how many it begins in time."""

    def __init__(self, values: Callable[[str], str], parts: int) -> None:
        self.values = values
        self.left = parts

    def of(self, form: str) -> str:
        self.left -= 1
        if self.left < 0:
            return ""
        if not form.startswith("#{"):
            return form.replace("#,", ",")
        inside = form[2:-1]
        if inside.startswith("=="):
            left, right = arguments(inside[3:])
            return str(int(self.of(left) == self.of(right)))
        if inside.startswith("?"):
            condition, yes, no = arguments(inside[1:])
            return self.of(yes if self.of(condition) not in ("", "0") else no)
        return self.values(inside)


def arguments(text: str) -> List[str]:
    """What is between the commas that are in no braces."""
    found, depth, begin = [], 0, 0
    for place, char in enumerate(text):
        depth += {"{": 1, "}": -1}.get(char, 0)
        if char == "," and depth == 0 and text[place - 1] != "#":
            found.append(text[begin:place])
            begin = place + 1
    return [*found, text[begin:]]


def expanded(condition: str, guard: str, parts: int = 100) -> str:
    """What tmux makes of the condition of a session whose guard is this now."""
    form = condition.replace(IDLE.guards.session, "#{guard}")
    return Expansion({"session_id": "$1", "guard": guard}.__getitem__, parts).of(form)
