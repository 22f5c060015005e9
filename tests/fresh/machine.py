# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How this machine reaches its package sources, as apt and pip themselves say it."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Dict, List, Mapping, NamedTuple

CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


class Sources(NamedTuple):
    """What another system on this machine needs to install packages."""

    variables: Dict[str, str]
    files: List[Path]
    """To be copied: small, and somebody may want to write beside them."""
    folders: List[Path]
    """To be shown: packages may lie in them."""
    apt: str
    """Settings of apt."""


def sources() -> Sources:
    pip = [sys.executable, "-m", "pip", "config"]
    configured = dict(re.findall(r"^(\S+?)=(.*)$", _said(*pip, "list"), re.MULTILINE))
    values = [ast.literal_eval(value) for value in configured.values()]
    files = [Path(name) for name in re.findall(r"^ +(/.*), exists: True$", _said(*pip, "debug"), re.MULTILINE)]
    named = places(values)
    certificates = sorted(Path("/usr/local/share/ca-certificates").glob("**/*.crt"))
    return Sources(
        variables=variables(os.environ),
        files=[*files, *(path for path in named if path.is_file()), *certificates],
        folders=[path for path in named if path.is_dir()],
        apt="".join("%s\n" % line for line in _said("apt-config", "dump").splitlines() if line.startswith("Acquire")),
    )


def variables(environ: Mapping[str, str]) -> Dict[str, str]:
    """Return what tells pip, uv and their like how to reach an index."""
    return {
        name: value
        for name, value in environ.items()
        if name.startswith(("PIP_", "UV_")) or name.lower().endswith("_proxy") or name in CERTIFICATES
    }


def places(values: List[str]) -> List[Path]:
    """Return the files and folders that settings name; an index on disk refers to files beside it."""
    found = []
    for word in " ".join(values).split():
        path = Path(word[len("file://") :] if word.startswith("file://") else word)
        if path.is_absolute() and path.exists() and path != Path("/etc/ssl/certs/ca-certificates.crt"):
            found.append(path.parent if word.startswith("file://") and path.is_dir() else path)
    return list(dict.fromkeys(found))


def _said(*command: str) -> str:
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, universal_newlines=True).stdout
