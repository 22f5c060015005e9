# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""These tests need a small world, and the programs of the corpus."""

import pytest
from ansible_collections.fleet.tmux.tests.support import namespaces
from ansible_collections.fleet.tmux.tests.verdicts import corpus


def pytest_configure() -> None:
    if not namespaces.entered():
        raise pytest.UsageError(
            "These sessions live in a world of their own: run `make verdicts` as root, "
            "or `python tests/support/namespaces.py python -m pytest tests/verdicts`"
        )
    if corpus.missing():
        raise pytest.UsageError("please install: %s" % " ".join(corpus.missing()))
