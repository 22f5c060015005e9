# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options are stored as they are written, however tmux prints them; what it does not take changes nothing."""

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import settings
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.settings import Setting, SettingError
from ansible_collections.fleet.tmux.tests.support.world import World

VALUES = [
    "plain",
    "",
    "two words",
    "#{session_name} #(touch nowhere) #[fg=red]##",
    "$HOME ${HOME} $1 ~ `id` \\$HOME \\",
    "{ a } ; b;",
    ";",
    "-x --",
    "one\ntwo\n",
    "\ttab 'single' \"double\"",
    "%H:%M ü 漢 🙂",
]


def test_every_value_is_stored_as_it_is_written(server: World) -> None:
    client, version = server.client(), server.listing().version
    wanted = [Setting("$0", "@option-%d" % number, value) for number, value in enumerate(VALUES)]
    wanted += [Setting("$0", "status-right", VALUES[3]), Setting("$0:0", "@window", VALUES[4], True)]
    assert [setting for setting, _found in settings.differing(client, wanted, version)] == wanted
    settings.apply(client, wanted, version)
    assert settings.differing(client, wanted, version) == []
    for number, value in enumerate(VALUES):
        # A format prints what is stored; only its end is not seen.
        expected = value.replace("$", "\\$") if version.at_least(3, 4) and not version.at_least(3, 5) else value
        printed = server.tmux("list-sessions", "-F", "#{@option-%d}" % number)
        assert printed.replace("\\$", "$") == expected.replace("\\$", "$").rstrip("\n"), value
    assert server.run("show-options", "-v", "-t", "$0", "@window").stdout == b"", "it is the window's"


def test_what_tmux_prints_otherwise_is_remembered(server: World) -> None:
    client, version = server.client(), server.listing().version
    wanted = [Setting("$0", "mouse", "1"), Setting("$0", "display-time", "0750"), Setting("$0", "prefix", "c-a")]
    settings.apply(client, wanted, version)
    assert server.tmux("show-options", "-v", "-t", "$0", "display-time") == "750"
    assert settings.differing(client, wanted, version) == []
    server.tmux("set-option", "-t", "$0", "display-time", "751")
    assert [setting.name for setting, _found in settings.differing(client, wanted, version)] == ["display-time"]


def test_a_value_that_tmux_does_not_take_is_named_and_nothing_is_set(server: World) -> None:
    client, version = server.client(), server.listing().version
    server.tmux("set-option", "-t", "$0", "history-limit", "7")
    before = server.tmux("show-options", "-t", "$0"), server.tmux("show-options", "-w", "-t", "$0:0")
    wanted = [
        Setting("$0", "@made", "x"),
        Setting("$0", "history-limit", "8"),
        Setting("$0", "display-time", "no number"),
        Setting("$0:0", "mode-keys", "vi", True),
    ]
    with pytest.raises(
        SettingError, match=r"option display-time: tmux does not take 'no number': .*; no option was set"
    ):
        settings.apply(client, wanted, version)
    assert (server.tmux("show-options", "-t", "$0"), server.tmux("show-options", "-w", "-t", "$0:0")) == before


@pytest.mark.parametrize("name", ["nonsense", "history-lim", "buffer-limit", "nonsense[3]", "escape-time"])
def test_what_is_no_option_of_a_session_or_window_is_refused(server: World, name: str) -> None:
    """tmux itself would take the beginning of a name, and an option of the server, for what was meant."""
    with pytest.raises(SettingError, match="no option of a session or a window"):
        settings.known(server.client()).require(name, server.version)


def test_each_option_goes_where_it_belongs(server: World) -> None:
    known = settings.known(server.client())
    options = [("history-limit", "1"), ("mode-keys", "vi"), ("@x", "y"), ("update-environment[7]", "A")]
    for name, _value in options:
        known.require(name, server.version)
    places = [(each.place, each.of_window) for each in settings.belonging("$0", "@0", options, known)]
    assert places == [("$0", False), ("@0", True), ("$0", False), ("$0", False)]
