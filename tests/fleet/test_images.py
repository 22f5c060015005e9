# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The recipe of the images, and the mirror they are made from."""

from pathlib import Path

import pytest
from ansible_collections.fleet.tmux.tests.fleet import images
from ansible_collections.fleet.tmux.tests.fleet.engine import Engine, Failed

SOURCES = """\
Types: deb-src
URIs: http://source.invalid/debian
Suites: trixie
Components: main

Types: deb
# URIs: http://comment.invalid/debian
URIs: http://mirror.invalid/debian
Suites: trixie
 trixie-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://off.invalid/debian
Suites: trixie
Components: main
Enabled: no
"""


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("sources.list.d/debian.sources", SOURCES, ["http://mirror.invalid/debian"]),
        ("sources.list", "deb http://m.invalid/debian bookworm main\n", ["http://m.invalid/debian"]),
        ("sources.list", "deb [arch=amd64 trusted=yes] http://m.invalid/d sid main # text\n", ["http://m.invalid/d"]),
        ("sources.list.d/other.list", "deb https://m.invalid/apt nodistro main\n", []),
        ("sources.list", "# deb http://m.invalid/debian bookworm main\n\n", []),
        ("sources.list", "deb http://m.invalid/security bookworm-security main\n", []),
        ("sources.list", "deb http://m.invalid/debian bookworm contrib\n", []),
    ],
)
def test_the_mirror_is_the_one_that_apt_uses(tmp_path: Path, name: str, text: str, expected: object) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / name).write_text(text)
    assert list(images._mirrors(tmp_path)) == expected


def test_a_mirror_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEET_MIRROR", "http://mirror.invalid/debian")
    assert images.mirror() == "http://mirror.invalid/debian"


def test_no_mirror_is_no_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLEET_MIRROR", raising=False)
    monkeypatch.setattr(images, "_mirrors", lambda apt: iter(()))
    with pytest.raises(Failed, match="FLEET_MIRROR"):
        images.mirror()


def test_a_changed_recipe_is_another_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(tmp_path)
    before = images._recipe(engine, "trixie")
    assert images._recipe(engine, "trixie") == before
    assert images._recipe(engine, "sid") != before
    monkeypatch.setattr(images, "PACKAGES", [*images.PACKAGES, "vim"])
    assert images._recipe(engine, "trixie") != before
    monkeypatch.undo()
    furnish = tmp_path / "image.sh"
    furnish.write_text(images.FURNISH.read_text() + "\n")
    monkeypatch.setattr(images, "FURNISH", furnish)
    assert images._recipe(engine, "trixie") != before
