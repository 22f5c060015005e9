# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hosts of a play, and the variables that a task of it would have on each of them."""

from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Tuple

from ansible.errors import AnsibleError
from ansible.module_utils.common.yaml import yaml_load
from ansible_collections.fleet.tmux.plugins.plugin_utils._arguments import PREFIX, Problem

COLLECTION = Path(__file__).resolve().parents[2]


def argument_specs() -> Dict[str, Any]:
    """Those of the role, by entry point."""
    text = (COLLECTION / "roles" / "tmux_cleanup" / "meta" / "argument_specs.yml").read_text(encoding="utf-8")
    return dict(yaml_load(text)["argument_specs"])


def version() -> str:
    """The version of this collection, as installed or as checked out."""
    for name in ("MANIFEST.json", "galaxy.yml"):
        path = COLLECTION / name
        if path.is_file():
            read = yaml_load(path.read_text(encoding="utf-8"))
            return str(read.get("collection_info", read).get("version"))
    return "unknown"


class _NoFacts(Dict[str, Any]):
    """Nothing is known of any host, and that is no error."""

    def get(self, _host: Any, _default: Any = None) -> Any:
        return {}


def _without_facts(manager: Any) -> Any:
    """A manager of variables that knows no facts. Ansible has no other way to leave them out."""
    bare = object.__new__(type(manager))
    vars(bare).update(vars(manager), _fact_cache=_NoFacts())
    return bare


_WAY = (
    *("ansible_connection", "ansible_host", "ansible_port", "ansible_user"),
    *("ansible_become", "ansible_become_method", "ansible_become_user", "ansible_become_password"),
)
"""What a task that is done on the controller says of the way to a host; an option may name what the host really has."""


def _without_way(task: Any) -> Any:
    other = task.copy()
    other.vars = {name: value for name, value in task.vars.items() if name not in _WAY}
    return other


class Play:
    """The hosts of the play in which an action runs."""

    def __init__(self, task: Any, templar: Any, task_vars: Mapping[str, Any]) -> None:
        self._task = _without_way(task)
        self._templar = templar
        self._hostvars = task_vars["hostvars"]
        self.every: List[str] = list(task_vars["ansible_play_hosts_all"])
        self.alive: List[str] = list(task_vars["ansible_play_hosts"])
        self.batch: List[str] = list(task_vars["ansible_play_batch"])
        """Those whose turn it is, and that have not failed."""

    def facts(self, names: Iterable[str]) -> Dict[str, Dict[str, Any]]:
        """What was registered under these names, by host.

        A host that is not in the play any more has failed before this run: what it has is of an earlier one.
        """
        alive, wanted = set(self.alive), list(names)
        return {host: self._registered(host, wanted) if host in alive else {} for host in self.every}

    def _registered(self, host: str, names: List[str]) -> Dict[str, Any]:
        found = self._hostvars[host]
        return {name: found.get(name) for name in names}

    def trusted(self, name: str) -> Any:
        """The value that a variable has on the first host that is left, made without any fact of any host.

        What is run on the controller, no managed host may say, nor may it be in a template that says it.
        """
        manager, inventory = self._hostvars._variable_manager, self._hostvars._inventory
        if not self.alive:
            return None
        host = inventory.get_host(self.alive[0])
        found = _without_facts(manager).get_vars(play=self._task.get_play(), host=host, task=self._task)
        return self._templated({name: found[name]}, found).get(name) if name in found else None

    def arguments(self, names: Iterable[str]) -> Tuple[Dict[str, Dict[str, Any]], Dict[str, List[str]], List[Problem]]:
        """The values that the task's variables of these names have on each host, all names that begin like ours, and
        what could not be read.

        ``hostvars`` would not do: they know neither the variables of the play nor the defaults of the role.
        """
        wanted = list(names)
        values: Dict[str, Dict[str, Any]] = {}
        ours: Dict[str, List[str]] = {}
        problems: List[Problem] = []
        for host in self.alive:
            found = self._task_vars(host)
            ours[host] = [name for name in found if name.startswith(PREFIX)]
            templates = {name: found[name] for name in wanted if name in found}
            try:
                values[host] = self._templated(templates, found)
            except AnsibleError:
                problems += [Problem(text, [host]) for text in self._unreadable(templates, found)]
        return values, ours, problems

    def _task_vars(self, host: str) -> Mapping[str, Any]:
        manager, inventory = self._hostvars._variable_manager, self._hostvars._inventory
        wanted = {"play": self._task.get_play(), "host": inventory.get_host(host), "task": self._task}
        found: Mapping[str, Any] = manager.get_vars(**wanted)
        returned = [name for name in found.get("ansible_facts") or {} if str(name).startswith(PREFIX)]
        if not returned:
            return found
        # Facts are what a host returns, and whoever is root there must not decide for all hosts.
        others = _without_facts(manager).get_vars(**wanted)
        return {
            **{name: value for name, value in found.items() if name not in returned},
            **{name: others[name] for name in returned if name in others},
        }

    def _unreadable(self, templates: Mapping[str, Any], variables: Mapping[str, Any]) -> Iterator[str]:
        for name, template in templates.items():
            try:
                self._templated({name: template}, variables)
            except AnsibleError as error:
                yield f"{name} cannot be read: {error}"

    def _templated(self, values: Dict[str, Any], variables: Mapping[str, Any]) -> Dict[str, Any]:
        templar = self._templar.copy_with_new_env(available_variables=variables)
        omit = variables.get("omit")
        return {name: value for name, value in templar.template(values).items() if omit is None or value != omit}
