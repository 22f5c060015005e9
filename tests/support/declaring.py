# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tasks of tmux_session on a server of a test, and what plain tmux says of it."""

from typing import Any, Callable, Dict, List, Optional, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._actions.journal import Journal
from ansible_collections.fleet.tmux.plugins.module_utils._actions.snapshot import Archive
from ansible_collections.fleet.tmux.plugins.module_utils._actions.survivors import Ending
from ansible_collections.fleet.tmux.plugins.module_utils._host.directory import Directory
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import read_process
from ansible_collections.fleet.tmux.plugins.module_utils._modules.session import (
    SessionOptions,
    carry_out,
    diff,
    failure,
    result,
    session_options,
)
from ansible_collections.fleet.tmux.plugins.module_utils._modules.session_hands import (
    PromisingHands,
    WorkingHands,
    drift,
    planned,
)
from ansible_collections.fleet.tmux.plugins.module_utils._modules.single import look_at
from ansible_collections.fleet.tmux.plugins.module_utils._policy.values import SESSION, checked
from ansible_collections.fleet.tmux.plugins.module_utils._specs.tmux_session import ARGUMENT_SPEC
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.servers import Host
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE, eventually
from ansible_collections.fleet.tmux.tests.support.world import World

Json = Dict[str, Any]
CAT = ["sh", "-c", "exec cat"]


def filled(spec: Json, given: Json) -> Json:
    """What Ansible makes of options: those that are not given have their defaults."""
    found = {name: given.get(name, option.get("default")) for name, option in spec.items()}
    for name, option in spec.items():
        if "options" in option and found[name] is not None:
            inner = found[name]
            within = option["options"]
            found[name] = filled(within, inner) if isinstance(inner, dict) else [filled(within, it) for it in inner]
    return found


class Task:
    """A task with options as its user writes them."""

    def __init__(self, world: World, **options: Any) -> None:
        self.world = world
        self.archive: Optional[Archive] = None
        self.ending = Ending()
        self.journal = Journal()
        self.values = checked(filled(ARGUMENT_SPEC, dict({"name": ["made"], "chdir": "/"}, **options)), SESSION)

    def go(
        self, check: bool = False, meanwhile: Callable[[], object] = lambda: None
    ) -> Tuple[Json, Optional[Exception]]:
        """Check or run it. ``meanwhile``: what somebody else does after it has looked."""
        host = Host(self.world.binary, PATIENCE, Directory(PATIENCE))
        seen, values = look_at(host, self.world.path), self.values
        wanted: SessionOptions = session_options(values)
        made, compared = planned(values["state"], values["name"], values["recreate"], wanted, seen)
        promising = PromisingHands(host, seen, wanted, compared, archive=self.archive)
        working = WorkingHands(host, seen, wanted, self.ending, self.journal, compared, archive=self.archive)
        hands = promising if check else working
        meanwhile()
        outcomes = carry_out(made, hands)
        drifting = drift(compared)
        shown = diff(made, outcomes, drifting, wanted.windows)
        told = dict(result(outcomes, seen, drifting), diff=shown, warned=hands.warnings())
        return told, failure(made, outcomes)

    def done(self) -> Json:
        """The result of a run, which check mode has told of before, and after which nothing is left to do."""
        checked_, error = self.go(check=True)
        assert error is None, error
        told, error = self.go()
        assert error is None, error
        assert told["changed"] and checked_["changed"]
        promised = ("updated", "drift", "diff", "warned")
        assert [told[key] for key in promised] == [checked_[key] for key in promised]
        gone = [dict(item, survivors=[], snapshot=None) for item in told["removed_windows"]]
        assert gone == checked_["removed_windows"]
        assert [each["options"] for each in told["sessions"]] == [each["options"] for each in checked_["sessions"]]
        for check in (True, False):
            again, error = self.go(check)
            assert error is None and not again["changed"], again
        for name in self.values["name"]:
            self.world.begun("=" + name)
            at_their_prompts(self.world, name)
        return told


def panes(world: World, *fields: str, session: str = "made") -> List[List[str]]:
    """What plain tmux says of the panes of a session."""
    listed = world.tmux("list-panes", "-s", "-t", "=" + session, "-F", "|".join("#{%s}" % field for field in fields))
    return [line.split("|") for line in listed.splitlines()]


def at_their_prompts(world: World, session: str = "made") -> None:
    """Wait until each shell of a session is at its prompt: as long as it begins, it is in use."""
    rows = panes(world, "pane_id", "pane_dead", "pane_start_command", "pane_pid", session=session)
    for pane, pid in [(row[0], int(row[3])) for row in rows if row[1:3] == ["0", ""]]:
        show = ("capture-pane", "-p", "-t", pane)
        eventually(lambda show=show: world.tmux(*show).strip(), "it shows its prompt")  # type: ignore[misc]
        eventually(lambda pid=pid: state_of(pid) == "S", "it waits there")  # type: ignore[misc]


def state_of(pid: int) -> str:
    """The state of a process, as the kernel calls it."""
    process = read_process(pid)
    return "" if process is None else process.state


def changes(told: Json) -> List[Tuple[Any, ...]]:
    return [
        (item["name"], each["window"], each["what"], each["declared"], each["found"])
        for item in told["updated"]
        for each in item["changes"]
    ]


def drifted(told: Json) -> List[Tuple[Any, ...]]:
    return [tuple(each[key] for key in ("window", "pane", "what", "declared", "found")) for each in told["drift"]]
