# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which programs are editors, by the names that they are started with and of the files that they are. Pure."""

import re
from typing import Iterable, Optional, Tuple

VIM, NANO, EMACS, OTHER = "vim", "nano", "emacs", "other"
"""Families of editors: of the last nobody outside can tell whether their text is saved."""

OTHERS: Tuple[str, ...] = tuple(
    """
    editor micro hx helix kak joe jstar jmacs jpico rjoe jed ne mcedit mg zile jove qemacs qe uemacs
    ed red nvi nex nview elvis vile lvile levee vigor nextvi neatvi xvi stevie vis pico ee aee ae le tilde dte
    amp kibi ox zee pe o orbiton e3 e3vi e3em e3ne e3pi e3ws turbo mle efte nefte fte sfte xwpe wpe we
    jupp aoeui edbrowse xjed vfte beav lpe mined hnb teapot shed tweak lfhex yudit tea juffed texworks
    medit slap suplemon pyvim lem yi kiro flow msedit edit moe diakonos mp-5 the xedit nedit
    hexedit hexer bvi dhex hte wordgrinder sc sc-im oleo visidata vd
    gedit gnome-text-editor kate kwrite mousepad xed pluma geany leafpad l3afpad featherpad scite bluefish
    code codium code-oss zed zeditor zed-editor sublime_text subl lapce neovide nvim-qt texstudio lyx soffice.bin
    """.split()
)
"""Further editors of text, bytes and tables. ``editor`` is what Debian calls any of them: of another user's process no
more is seen than such a name."""

_VIM = re.compile(r"(?:r?g?(?:vim|view|ex)|vi|[gr]{0,2}vimdiff|evim|eview|nvim)(?:\.[a-z0-9-]+)?\Z")
_NANO = re.compile(r"r?nano(?:-tiny|\.[a-z0-9-]+)?\Z")
_EMACS = re.compile(r"x?emacs(?!client)(?:[-.0-9].*)?\Z")
_VERSION = re.compile(r"(?:-wrapped|[-.]?appimage|[-.]?[0-9][0-9.]*(?:[-_][a-z0-9_]+)?)\Z", re.IGNORECASE)
_OTHERS = frozenset(OTHERS)
_KNOWN_BYTES = 15
"""The kernel keeps so much of a program's name (TASK_COMM_LEN)."""
_OTHERS_CUT = frozenset(name[:_KNOWN_BYTES] for name in OTHERS)


def family(names: Iterable[str]) -> Optional[str]:
    """The family of an editor by what it is called, the surest name first; None if it is none."""
    for name in names:
        found = _family(name)
        if found is not None:
            return found
    return None


def _family(name: str) -> Optional[str]:
    plain = name.lstrip("-.")
    for word in (plain, _VERSION.sub("", plain)):
        for pattern, known in ((_VIM, VIM), (_NANO, NANO), (_EMACS, EMACS)):
            if pattern.match(word):
                return known
        if word in _OTHERS or word in _OTHERS_CUT:
            return OTHER
    return None
