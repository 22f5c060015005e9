# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The root file systems of the hosts: Debian releases, from the mirror that apt of this machine uses."""

import concurrent.futures
import hashlib
import os
import shlex
from pathlib import Path
from typing import Dict, Iterator, List, Sequence

from ansible_collections.fleet.tmux.tests.fleet.engine import Engine, Failed, command, must, worked

RELEASES = ("bullseye", "bookworm", "trixie", "sid")
SUITES = tuple(os.environ.get("FLEET_SUITES", ",".join(RELEASES)).split(","))
"""The releases that a fleet has by default. Some tests need all of them."""
PACKAGES = ["python3", "tmux", "openssh-server", "sudo", "procps", "util-linux", "mount", "passwd", "login"]
BOOTED = "booted"
"""The suite of hosts whose first process is systemd: trixie, with what follows."""
OF_SYSTEMD = ["systemd", "systemd-sysv", "dbus", "dbus-user-session", "libpam-systemd"]
OPERATOR_PASSWORD = "to be asked for"
ROOT_PASSWORD = "to become root"
"""Not secrets: nobody can log in with a password, and only this machine reaches the hosts."""
FURNISH = Path(__file__).with_name("image.sh")
SMALLER = ["path-exclude=/usr/share/%s/*" % part for part in ("doc", "man", "locale", "info", "lintian")]


def keys(engine: Engine) -> Path:
    """The key that opens all hosts, and the key that all hosts show."""
    folder = engine.cache / "keys"
    with engine.lock("keys"):
        folder.mkdir(mode=0o700, exist_ok=True)
        for name in ("id_ed25519", "host_ed25519"):
            if not (folder / (name + ".pub")).exists():
                (folder / name).unlink() if (folder / name).exists() else None
                must("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "fleet", "-f", str(folder / name))
    return folder


def build(engine: Engine, suites: Sequence[str]) -> Dict[str, str]:
    """Make the images that are not there yet, and return the name of each suite's."""
    keys(engine)
    # Two at a time: it takes a processor each, and much of the mirror.
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        return dict(zip(suites, pool.map(lambda suite: image(engine, suite), suites)))


def image(engine: Engine, suite: str) -> str:
    """Make the image of a suite unless it is there. Its name tells the recipe, so a changed one is made anew."""
    repository = "localhost/fleet/%s" % suite
    name = "%s:%s" % (repository, _recipe(engine, suite))
    with engine.lock("image-" + suite):
        if name not in engine.must("images", "--format", "{{.Repository}}:{{.Tag}}").split():
            archive = engine.temporary / (suite + ".tar")
            try:
                (_add_systemd if suite == BOOTED else _bootstrap)(engine, suite, archive)
                engine.must("import", "--quiet", str(archive), name)
            finally:
                archive.unlink() if archive.exists() else None
            _forget_others(engine, repository, name)
    return name


def _forget_others(engine: Engine, repository: str, name: str) -> None:
    """Remove what older recipes made; what a host still uses stays."""
    listed = engine.must("images", "--format", "{{.Repository}}:{{.Tag}}", "--filter", "reference=%s" % repository)
    for other in listed.split():
        if other != name:
            engine.podman("rmi", other)


def _recipe(engine: Engine, suite: str) -> str:
    folder = keys(engine)
    parts = [
        suite,
        *PACKAGES,
        *(OF_SYSTEMD if suite == BOOTED else []),
        *SMALLER,
        OPERATOR_PASSWORD,
        ROOT_PASSWORD,
        FURNISH.read_text(encoding="utf-8"),
    ]
    parts += [(folder / name).read_text(encoding="ascii") for name in ("id_ed25519.pub", "host_ed25519.pub")]
    return hashlib.sha256("\0".join(parts).encode("utf-8")).hexdigest()[:16]


def _bootstrap(engine: Engine, suite: str, archive: Path) -> None:
    furnish = [str(FURNISH), str(keys(engine)), OPERATOR_PASSWORD, ROOT_PASSWORD]
    script, *arguments = [shlex.quote(word) for word in furnish]
    argv = _mmdebstrap("essential", PACKAGES)
    argv += ['--customize-hook=sh %s "$1" %s' % (script, " ".join(arguments)), suite, str(archive), mirror()]
    done = command(*argv, **engine.environment())
    if done.rc and str(FURNISH) not in done.output:  # once more: the network, or a mirror in the middle of an update
        done = command(*argv, **engine.environment())
    worked(argv, done)


def _mmdebstrap(variant: str, packages: Sequence[str]) -> List[str]:
    argv = ["mmdebstrap", "--quiet", "--mode=root", "--variant=" + variant, "--include=" + ",".join(packages)]
    argv += ["--dpkgopt=" + option for option in SMALLER]
    # A mirror may hold a snapshot, which its signature calls outdated one day.
    return [*argv, '--aptopt=Acquire::Check-Valid-Until "false"', '--aptopt=Acquire::Retries "3"']


def _add_systemd(engine: Engine, suite: str, archive: Path) -> None:
    """Make an image from that of trixie, which takes less than making it from nothing."""
    made = engine.must("create", "--pull", "never", image(engine, "trixie"), "/bin/true").split()[-1]
    before = archive.with_suffix(".before.tar")
    try:
        engine.must("export", "--output", str(before), made)
        argv = [*_mmdebstrap("custom", OF_SYSTEMD), "--skip=check/empty"]
        argv += ['--setup-hook=tar -C "$1" -xf %s' % shlex.quote(str(before)), "trixie", str(archive), mirror()]
        worked(argv, command(*argv, **engine.environment()))
    finally:
        engine.podman("rm", made)
        before.unlink() if before.exists() else None


# --- the mirror


def mirror() -> str:
    """The Debian mirror of this machine, or the one that FLEET_MIRROR names."""
    named = os.environ.get("FLEET_MIRROR", "")
    for uri in [named] if named else _mirrors(Path("/etc/apt")):
        return uri
    raise Failed("apt's sources name no mirror of Debian: set FLEET_MIRROR to the address of one")


def _mirrors(apt: Path) -> Iterator[str]:
    ours = {"stable", "testing", "unstable", "oldstable", "forky", "buster", *RELEASES}
    for source in _sources(apt):
        if "deb" in source["types"] and "main" in source["components"] and ours & set(source["suites"]):
            yield from source["uris"]


def _sources(apt: Path) -> Iterator[Dict[str, List[str]]]:
    for path in sorted(apt.glob("sources.list.d/*.sources")):
        for stanza in path.read_text(encoding="utf-8").split("\n\n"):
            yield _stanza(stanza)
    for path in [apt / "sources.list", *sorted(apt.glob("sources.list.d/*.list"))]:
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
            yield _line(line)


def _stanza(text: str) -> Dict[str, List[str]]:
    fields: Dict[str, List[str]] = {"types": [], "uris": [], "suites": [], "components": []}
    if "enabled: no" in text.lower():
        return fields
    name = ""
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        if line[:1] not in (" ", "\t") and ":" in line:
            name, line = line.split(":", 1)
        fields.setdefault(name.strip().lower(), []).extend(line.split())
    return fields


def _line(text: str) -> Dict[str, List[str]]:
    before, _bracket, after = text.partition("#")[0].partition("[")
    words = before.split() + (after.partition("]")[2].split() if after else [])
    padded = words + [""] * 3
    return {"types": padded[:1], "uris": padded[1:2], "suites": padded[2:3], "components": words[3:]}
