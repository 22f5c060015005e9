# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The user database, asked in a child that has a time limit."""

import time
from typing import Dict, List, Optional, Sequence, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._host.child import LOCALE, SEARCH_PATH, run
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import NO_GROUP, User, is_number

_GETENT_ANSWERS = (0, 2)
"""Exit statuses of getent: all were found, or some are not there. Any other means that nobody knows."""


class NoAnswer(Exception):
    """The user database did not answer in time."""


class Directory:
    """The user database, asked in a child so that a directory service that hangs costs ``budget`` seconds in all."""

    def __init__(self, budget: float = 10.0) -> None:
        self._left = budget
        self._by_uid: Dict[int, User] = {}
        self._by_name: Dict[str, User] = {}
        self._asked: Dict[str, bool] = {}

    def user(self, uid: int) -> User:
        """The account of ``uid``. One without an entry, or whom the directory does not tell in time, gets least."""
        try:
            self.learn([str(uid)])
        except NoAnswer:
            pass
        return self._by_uid.get(uid) or User(str(uid), uid, NO_GROUP)

    def find(self, name_or_uid: str) -> Optional[User]:
        """The account by that name or number, or None. A number need not have an entry.

        :raises NoAnswer: when the directory does not answer: that is not the same as "no such user".
        """
        self.learn([name_or_uid])
        if name_or_uid in self._by_name:
            return self._by_name[name_or_uid]
        return self.user(int(name_or_uid)) if is_number(name_or_uid) else None

    def learn(self, keys: Sequence[str]) -> None:
        """Ask for all ``keys`` (names or uids) that are not known yet, in one go.

        :raises NoAnswer: when the time for all questions is used up, or the database is out of order.
        """
        new = sorted({key for key in keys if key not in self._asked})
        for start in range(0, len(new), 500):
            part = new[start : start + 500]
            rc, text = self._getent(["passwd"] + part)
            if rc not in _GETENT_ANSWERS:
                raise NoAnswer("the user database is out of order (getent passwd: exit status %d)" % rc)
            for line in text.splitlines():
                self._remember(line)
            self._asked.update((key, True) for key in part)

    def with_groups(self, user: User) -> User:
        """``user`` with all its supplementary groups, for a process that goes on to live as that user.

        :raises NoAnswer: when the time for all questions is used up.
        """
        words = self._getent(["initgroups", user.name])[1].split()
        groups = [int(word) for word in words[1:] if is_number(word)]
        return user._replace(groups=tuple(sorted(set(groups + [user.gid]))))

    def _remember(self, line: str) -> None:
        fields = line.split(":")
        if len(fields) >= 7 and is_number(fields[2]) and is_number(fields[3]):
            user = User(fields[0], int(fields[2]), int(fields[3]), fields[5] or "/", fields[6] or "/bin/sh")
            self._by_uid.setdefault(user.uid, user)
            self._by_name.setdefault(user.name, user)

    def _getent(self, words: List[str]) -> Tuple[int, str]:
        if self._left <= 0:
            raise NoAnswer("the user database (getent passwd) did not answer in time")
        start = time.monotonic()
        try:
            outcome = run(["getent"] + words, env={"PATH": SEARCH_PATH, "LANG": LOCALE}, timeout=self._left)
        except OSError as error:
            raise NoAnswer("the user database could not be asked (getent: %s)" % error.strerror)
        self._left -= time.monotonic() - start
        if outcome.timed_out:
            self._left = 0
            raise NoAnswer("the user database (getent %s) did not answer in time" % words[0])
        return outcome.rc, outcome.out.decode("utf-8", "replace")
