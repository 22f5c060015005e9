# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a playbook of this collection, installed from this checkout: the work behind `make cleanup` and `make report`.

INVENTORY, LIMIT, CHECK=1 and ARGS come from the environment, which is where make puts them. Without an inventory it is
about this machine. Standard library only.
"""

import json
import os
import shlex
import subprocess
import sys
import typing as t

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
    if environ.get("CHECK", "") not in ("", "0"):
        chosen.append("--check")
    own = shlex.split(environ.get("ARGS", ""))
    return chosen + ([] if inventory else _become(own)) + own


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
    """Install this checkout as the collection, so that what runs is what a user of the collection gets."""
    command = [tools + "/ansible-galaxy", "collection", "install", "--offline", "--force"]
    command += ["-p", str(COLLECTIONS), str(environments.ROOT)]
    environments.command(command, environ)


def main(playbook: str) -> int:
    try:
        tools = str(environments.environment("play") / "bin")
        environ = environment_variables()
        install(tools, environ)
    except (environments.Missing, RuntimeError) as error:
        sys.exit("Cannot set up ansible-core: %s" % error)
    chosen = options(environ, os.path.realpath(tools + "/python"))
    command = [tools + "/ansible-playbook", *chosen, "fleet.tmux." + playbook]
    return subprocess.run(command, env=environ, check=False).returncode


def environment_variables() -> t.Dict[str, str]:
    """Return what is set here, with what ansible-core needs."""
    # ansible-core insists on a UTF-8 locale; the collection of this checkout comes before any other copy of it.
    # In YAML, the table at the end is shown as it is.
    environ = {"LC_ALL": "C.UTF-8", "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml", **os.environ}
    if "UTF-8" not in environ["LC_ALL"].upper():
        environ["LC_ALL"] = "C.UTF-8"
    others = environ.get("ANSIBLE_COLLECTIONS_PATH", "~/.ansible/collections:/usr/share/ansible/collections")
    environ["ANSIBLE_COLLECTIONS_PATH"] = "%s:%s" % (COLLECTIONS, others)
    return environ


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
