# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a playbook of this collection, installed from this checkout: the work behind `make cleanup` and `make report`.

INVENTORY, LIMIT, CHECK=1, YES=1 and ARGS come from the environment, which is where make puts them. Without an inventory
it is about this machine. A cleanup at a terminal asks before it does anything, unless it only looks, or YES=1 says that
it need not. Standard library only.
"""

import contextlib
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import typing as t

import asking
import environments

COLLECTIONS = environments.CACHE / "collections"


def options(environ: t.Mapping[str, str], python: str) -> t.List[str]:
    """Translate the variables of make into options of ansible-playbook."""
    inventory = environ.get("INVENTORY", "")
    chosen = ["--inventory", inventory] if inventory else ["--inventory", "localhost,", "--connection", "local"]
    if not inventory:
        # The one that is known to work: what ansible-core would discover may be a shim with nothing behind it.
        chosen += ["--extra-vars", json.dumps({"ansible_python_interpreter": python})]
    if environ.get("LIMIT"):
        chosen += ["--limit", environ["LIMIT"]]
    if _said(environ, "CHECK"):
        chosen.append("--check")
    own = environments.words(environ, "ARGS")
    return chosen + ([] if inventory else _become(own)) + own


def _said(environ: t.Mapping[str, str], name: str) -> bool:
    """Whether a variable says yes; one that says neither must not be taken for what it was not meant as."""
    value = environ.get(name, "").strip().lower()
    if value not in ("", "0", "no", "false", "1", "yes", "true"):
        sys.exit("%s=%s: it takes 1 or 0." % (name, environ[name]))
    return value in ("1", "yes", "true")


def _asks(playbook: str, environ: t.Mapping[str, str]) -> bool:
    """Whether there is somebody to be asked. Ansible's own check mode is known to the run itself."""
    need_not = [_said(environ, name) for name in ("YES", "CHECK")]
    return playbook == "cleanup" and os.isatty(0) and not any(need_not)


def _become(own: t.Sequence[str]) -> t.List[str]:
    """Go without sudo where it is not needed or would only ask for a password that nobody gives."""
    if os.getuid() == 0:
        return ["--extra-vars", "tmux_cleanup_become=false"]
    asked = any(option in ("-K", "--ask-become-pass") or option.startswith("--become-pass") for option in own)
    if asked or _sudo_is_silent():
        return []
    print(
        "No password-less sudo here, so only your own sessions are looked at."
        " For everybody's: run this as root, or add ARGS=--ask-become-pass.",
        flush=True,
    )
    return ["--extra-vars", "tmux_cleanup_become=false"]


def _sudo_is_silent() -> bool:
    try:
        return subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def install(tools: str, environ: t.Dict[str, str]) -> None:
    """Install this checkout as the collection, so that what runs is what a user of the collection gets.

    Where nothing has changed since it was installed last, it is there.
    """
    state = _state(environments.ROOT)
    stamp = COLLECTIONS / "installed"
    with contextlib.suppress(OSError):
        if stamp.read_text(encoding="ascii") == state and (COLLECTIONS / _MANIFEST).exists():
            return
    command = [tools + "/ansible-galaxy", "collection", "install", "--offline", "--force"]
    command += ["-p", str(COLLECTIONS), str(environments.ROOT)]
    environments.command(command, environ)
    stamp.write_text(state, encoding="ascii")


_MANIFEST = "ansible_collections/fleet/tmux/MANIFEST.json"
_PARTS = ("galaxy.yml", "README.md", "meta", "playbooks", "plugins", "roles")
"""What of a checkout a run uses; whoever changes anything else has the same collection for it."""


def _state(root: pathlib.Path) -> str:
    """What tells one state of a checkout from another: of each file its size, and when it was written."""
    paths = [root / part for part in _PARTS]
    paths += [path for part in paths if part.is_dir() for path in sorted(part.rglob("*"))]
    known = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in paths if path.is_file()]
    return hashlib.sha256(repr(known).encode()).hexdigest()


def main(playbook: str) -> int:
    environ = environment_variables()
    asks = _asks(playbook, environ)
    _require_inventory(environ.get("INVENTORY", ""))
    try:
        tools = str(environments.environment("play") / "bin")
        install(tools, environ)
    except (environments.Missing, RuntimeError) as error:
        sys.exit("Cannot set up ansible-core: %s" % error)
    chosen = options(environ, os.path.realpath(tools + "/python"))
    environ.update(asked(environ))
    environ.update(ours(tools, environ))
    ended = asking.run([tools + "/ansible-playbook", *chosen, "fleet.tmux." + playbook], environ, asks)
    if ended.broken_off:
        looks_only = playbook == "report" or _said(environ, "CHECK")
        print("\n" + broken_off(ended.account, looks_only), flush=True)
    elif ended.refused:
        print("Nothing was removed.", flush=True)
    return ended.status


def broken_off(left: t.Optional[asking.Account], looks_only: bool) -> str:
    """What is known when a run was broken off, in a line."""
    if looks_only or (left is not None and not left.begun):
        return "Broken off before anything was changed on any host."
    if left is None:
        known = "as far as is known here, before any host was begun with"
    else:
        hosts = left.begun if left.hosts is None else left.hosts
        numbers = (left.done, hosts, left.begun - left.done, max(0, hosts - left.begun))
        known = "%d of %d hosts done, %d unknown, %d not begun" % numbers
    return "Broken off: %s. Each host's own log tells what was done there: journalctl -t fleet-tmux" % known


_HARMLESS = re.compile(
    r"""(?x)
    -v+ | -[bCDKk] | --(become|check|diff|ask-become-pass|ask-pass|verbose)
    | -[flu] | --(forks|limit|user) (=.*)?
    | -e | --extra-vars
    """
)
"""Options that say nothing that nobody may read; what follows -e is looked at by itself."""
_VARIABLES = re.compile(r"(--extra-vars=)?(tmux_cleanup_(?!\w*_command\b)\w+=\S+\s*)+")
"""Variables of ours, but for commands, which may hold the key to a chat."""
_VALUES = re.compile(r"[\w.,:*!&~\[\]-]+")
"""What may follow -f, -l and -u."""


def _may_be_shown(text: str) -> bool:
    """Whether nothing in options of ansible-playbook can be a secret: all of it is known to be none."""
    try:
        words = shlex.split(text)
    except ValueError:
        return False
    before = [""] + words[:-1]
    return all(
        _VARIABLES.fullmatch(word)
        or (_VALUES.fullmatch(word) if option in ("-f", "-l", "-u", "--forks", "--limit", "--user") else None)
        or (option not in ("-e", "--extra-vars") and _HARMLESS.fullmatch(word))
        for option, word in zip(before, words)
    )


def asked(environ: t.Mapping[str, str]) -> t.Dict[str, str]:
    """Say what to type for a cleanup of the same hosts, so that a report can name it; a secret is left out."""
    told = {name: environ.get(name, "").replace("\n", " ") for name in ("INVENTORY", "ARGS")}
    words = ["%s=%s" % (name, shlex.quote(value)) for name, value in told.items() if value]
    if not _may_be_shown(told["ARGS"]):
        words[-1] = "ARGS=..."
    return {"FLEET_TMUX_COMMAND": " ".join(["make cleanup", *words]), "FLEET_TMUX_LIMIT": environ.get("LIMIT", "")}


def _require_inventory(inventory: str) -> None:
    """What has no comma is the name of a file or directory; ansible-core would go on without it."""
    if inventory and "," not in inventory and not os.path.exists(os.path.expanduser(inventory)):
        sys.exit(
            "INVENTORY=%s: there is no such file. Hosts by name have a comma: INVENTORY=%s," % (inventory, inventory)
        )


class Configured(t.NamedTuple):
    """What the configuration of whoever runs make says: the callbacks that it enables, and whether it says anything of
    the Python of hosts. What the environment says takes its place."""

    callbacks: t.Sequence[str] = ()
    interpreter: bool = False


_ASKED = """
import json
from ansible import constants
origin = constants.config.get_config_value_and_origin("INTERPRETER_PYTHON")[1]
print(json.dumps([list(constants.CALLBACKS_ENABLED), origin != "default"]))
"""


def configured(tools: str, environ: t.Mapping[str, str]) -> Configured:
    places = (environ.get("ANSIBLE_CONFIG", ""), "ansible.cfg", "~/.ansible.cfg", "/etc/ansible/ansible.cfg")
    names = ("ANSIBLE_CALLBACKS_ENABLED", "ANSIBLE_PYTHON_INTERPRETER")
    if not any(name in environ for name in names) and not any(
        os.path.exists(os.path.expanduser(place)) for place in places if place
    ):
        return Configured()
    found = subprocess.run(
        [tools + "/python", "-c", _ASKED], env=dict(environ), capture_output=True, text=True, check=False
    )
    return Configured(*json.loads(found.stdout)) if found.returncode == 0 else Configured()


def ours(tools: str, environ: t.Mapping[str, str]) -> t.Dict[str, str]:
    """What is set beside what the configuration says: a line that tells how far it is, and no warning for each host
    that a newer Python may be found there one day."""
    there = configured(tools, environ)
    found = {"ANSIBLE_CALLBACKS_ENABLED": ",".join([*there.callbacks, "fleet.tmux.cleanup_progress"])}
    return found if there.interpreter else dict(found, ANSIBLE_PYTHON_INTERPRETER="auto_silent")


def environment_variables() -> t.Dict[str, str]:
    """Return what is set here, with what ansible-core needs."""
    # ansible-core insists on a UTF-8 locale; the collection of this checkout comes before any other copy of it.
    # In YAML, what went wrong on a host can be read. Where nothing went wrong and nothing was changed, nothing is said.
    # An inventory that cannot be read is none, and not one without hosts.
    defaults = {
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
        "ANSIBLE_DISPLAY_OK_HOSTS": "no",
        "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "no",
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "1",
    }
    environ = {**defaults, **os.environ}
    if "UTF-8" not in environ["LC_ALL"].upper():
        environ["LC_ALL"] = "C.UTF-8"
    others = environ.get("ANSIBLE_COLLECTIONS_PATH", "~/.ansible/collections:/usr/share/ansible/collections")
    environ["ANSIBLE_COLLECTIONS_PATH"] = "%s:%s" % (COLLECTIONS, others)
    return environ


if __name__ == "__main__":
    sys.exit(environments.plainly(lambda: main(sys.argv[1])))
