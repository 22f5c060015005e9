# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No live work goes, and what is abandoned goes, by the default policy: judged on real programs.

By default as root, with the tmux of this machine. With VERDICTS=whole also as each owner for himself, and with all tmux
binaries that FLEET_TMUX_BINARIES names. With VERDICTS_RESULTS, a folder, the outcomes are written there as well.
"""

import os
from typing import List, Tuple

import pytest
from ansible_collections.fleet.tmux.tests.support.programs import binaries, label
from ansible_collections.fleet.tmux.tests.verdicts import judge

WHOLE = os.environ.get("VERDICTS") == "whole"
RUNS: List[Tuple[str, str]] = [
    (binary, right)
    for binary in (binaries() if WHOLE else binaries()[:1])
    for right in (("root", "user") if WHOLE else ("root",))
]


@pytest.mark.parametrize("binary,right", RUNS, ids=["%s-%s" % (label(binary), right) for binary, right in RUNS])
def test_live_work_stays_and_what_is_abandoned_goes(
    binary: str, right: str, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = judge.run(binary, right == "root")
    said = "\n".join(judge.lines(outcome))
    with capsys.disabled():
        print("\n" + said)
    judge.store(outcome, os.environ.get("VERDICTS_RESULTS", ""))
    found = judge.count(outcome.real, outcome.expected)
    script = judge.count(outcome.judgements[0], outcome.expected)
    assert script.live_wrong, "what this corpus calls live is told by tmux's own clock: it shows nothing"
    assert outcome.lied == [], said
    assert found.live_wrong == [], said
    assert len(found.abandoned_wrong) <= (1 - judge.GOAL) * found.abandoned, said
