# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How property-based tests look for examples."""

from hypothesis import HealthCheck, settings

_COMMON = {"deadline": None, "database": None, "suppress_health_check": [HealthCheck.too_slow]}


def load() -> None:
    """Take the same examples in every run: a check that fails must fail again.

    The profile ``explore`` looks for new ones: see tests/explore.py.
    """
    settings.register_profile("same", settings(derandomize=True, **_COMMON))  # type: ignore[arg-type]
    settings.register_profile("explore", settings(max_examples=400, print_blob=True, **_COMMON))  # type: ignore[arg-type]
    settings.load_profile("same")
