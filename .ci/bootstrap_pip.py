# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stands in for the get-pip.py that ansible-test would download: installs pip from the wheel that lies beside it.

ansible-test looks for `get_pip_VERSION.py` in its cache before it downloads one from a host of its own; this file is
put there under that name, so that a package index is all the network the checks need.
"""

import glob
import os
import re
import sys


def run():
    here = os.path.dirname(os.path.abspath(__file__))
    version = re.search(r"get_pip_([0-9_]+)\.py$", os.path.basename(__file__)).group(1).replace("_", ".")
    (wheel,) = glob.glob(os.path.join(here, "pip-%s-*.whl" % version))
    sys.path.insert(0, wheel)
    from pip._internal.cli.main import main

    drop = ("--no-setuptools", "--no-wheel")
    args = [a for a in sys.argv[1:] if a not in drop and not a.startswith("pip==")]
    return main(["install", "--find-links", here, *args, "pip==" + version])


if __name__ == "__main__":
    sys.exit(run())
