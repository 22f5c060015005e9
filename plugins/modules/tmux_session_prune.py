#!/usr/bin/python
# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Remove tmux sessions by policy."""

DOCUMENTATION = r"""
module: tmux_session_prune
short_description: Remove inactive tmux sessions
version_added: 0.1.0
author:
  - Fleet maintainers (@fleet-tmux)
description:
  - Removes tmux sessions by policy, namely idle, old or finished ones, on one server or on the servers of all users
    of a host.
  - Whatever was seen of a session is compared again inside its tmux server in the very moment of the removal.
    A session that was used, attached, renamed, replaced or marked with C(@keep) after it was judged lives, and is
    reported.
  - Whatever cannot be known (a server that hangs, a row that does not parse, a clock in the future) means keep.
  - Before each removal, and when it is known what came of it, a line is written to the system log of the host, which
    C(journalctl -t fleet-tmux) shows. Where that log takes nothing, root has C(/var/log/fleet-tmux.log), which is put
    aside (C(.1)) when it is longer than 4 MiB. Notice that was given or taken back, and processes that outlived their
    session, have a line too.
  - Files that somebody has declared to go with a session, by O(fleet.tmux.tmux_session#module:cleanup), are removed
    when it was, with the rights of its owner. Of a session that was not removed they stay.
options:
  idle:
    description:
      - Remove sessions in which nothing has happened for this long. See O(activity) for what counts.
      - A duration is one or more numbers with the units C(w), C(d), C(h), C(m) and C(s), from large to small and each
        once, like V(90s), V(45m), V(12h), V(2d), V(1w) or V(1d12h). A number without a unit is refused.
      - Of O(idle), O(older_than) and O(never_attached), all that are given must hold. One of these, or O(finished), is
        required.
    type: str
  older_than:
    description:
      - Remove sessions that were created at least this long ago. A duration with units, like V(12h), V(2d) or V(4w).
    type: str
  never_attached:
    description:
      - Remove sessions that were created at least this long ago, and to which nobody was ever attached. A duration with
        units, like V(12h), V(2d) or V(4w).
      - Programs make such sessions, and forget them. O(protect) and O(idle) decide whether something still works in
        them.
    type: str
  finished:
    description:
      - Remove sessions in which every program has ended, whatever O(idle), O(older_than) and O(never_attached) say.
        tmux keeps such sessions, with dead panes, where its option C(remain-on-exit) says so.
    type: bool
    default: false
  activity:
    description:
      - What counts as activity for O(idle).
      - V(input) is input and attaching of clients. V(output) is output in any window. V(any) is both.
      - tmux's own C(session_activity) does not move when a detached session prints something. V(any) does look at
        that.
    type: str
    choices: [any, input, output]
    default: any
  patterns:
    description:
      - Look only at sessions whose whole name matches one of these shell patterns (or regular expressions, see
        O(use_regex)).
    type: list
    elements: str
    default: []
  excludes:
    description:
      - Leave out sessions whose whole name matches one of these shell patterns (or regular expressions, see
        O(use_regex)). They win over O(patterns).
    type: list
    elements: str
    default: []
  where:
    description:
      - Look only at sessions whose user options have exactly these values. All of them must hold, and O(patterns) too.
      - Only what was set for the session itself counts (C(tmux set @made_by agent)). A global value that it inherits
        does not.
      - When they cannot be read, nothing is done to the sessions of that server.
    type: dict
  use_regex:
    description:
      - Whether O(patterns), O(excludes), O(protect_commands) and O(ignore_commands) are regular expressions of Python
        rather than shell patterns.
    type: bool
    default: false
  protect:
    description:
      - What protects a session, whatever else holds.
      - V(attached) means that a client is attached, and that this means somebody. A client counts only while its
        terminal lives. One that sits in a pane counts only if a session that holds this pane stays. So what nobody
        sees but a session that is itself up for removal is not protected by that. The outer session is removed first,
        and the inner one is judged anew then; if the outer one lives, so does the inner. See also O(attached_idle).
      - A pane may be another user's (C(su), C(sudo)). Where the sessions of both are looked at, the inner one is judged
        when the outer one had its turn. Where nobody knows what becomes of the pane, the client counts, and so it does
        as long as the outer session has only been given notice.
      - V(busy) means that one of its processes that count uses CPU time, reads, writes or forks while it is watched for
        a second. What only shows, a shell at its prompt, and helpers do not count; a program at a prompt may use up to
        a twentieth of the time and draw itself anew. Only sessions that would be removed are watched, and up to five
        seconds where nothing but output keeps them. Output that moves meanwhile does not count if nothing that counts
        could have made it, or if the screen stays as it was and what made it reads nothing and hardly computes.
      - V(keep) means that its user has said so with C(tmux set @keep on), with C(tmux set @keep 2026-12-24) for until
        the end of that day, or with C(tmux set @keep 3d) for so long. A duration counts from when somebody last used
        the session, or from when a run first saw it there, whichever is later; the session remembers that in an
        option of its own. A duration has units, like V(12h) or V(1d12h).
      - V(running) means that something runs in it besides interactive shells, what these were started by (C(su),
        C(sudo), C(script)), and helpers like C(ssh-agent). A shell that was given a script or C(-c) runs.
      - V(unsaved) means that an editor in it holds text that is not saved, or may hold some. Of C(vim), C(neovim),
        C(nano) and C(emacs) that is known where they keep their usual files or show their usual lines; of other
        editors, and of those that run as another user, it never is, so they protect. A message that is being written,
        a transaction of a database in a file that is not committed, partitions that are not written and packages that
        are half installed count too, as far as they show.
      - V(waiting) means that something in it waits for a lock, a time that has not come, a process, a message, a file
        to change, the other end of a FIFO, or for somebody to take what it says (a terminal that was stopped with
        Ctrl-S, a pipe); that somebody stays connected to a server in it; that a debugger holds a process; that the
        kernel does not let it go (state D); or that work is done elsewhere, so that a program in it waits for an
        answer on a Unix socket or a pipe. A program at its prompt waits for nothing but a key. A C(sleep) that nothing
        comes after, or that is longer than 30 days, does not count.
      - V(stopped) means that a job in it is stopped, as with Ctrl-Z. A program that only shows is no job.
    type: list
    elements: str
    choices: [attached, busy, keep, running, stopped, unsaved, waiting]
    default: [attached, busy, keep, stopped, unsaved, waiting]
  protect_for:
    description:
      - For how long a session must have been idle for a protection to wear off. By default none of them does.
      - What cannot be judged, an attached client and C(@keep) protect for ever.
    type: dict
    suboptions:
      unsaved:
        description: How long for text that was not saved. A duration with units, like V(12h) or V(2d).
        type: str
      waiting:
        description: How long for something that is waited for. A duration with units, like V(12h) or V(2d).
        type: str
      stopped:
        description: How long for a stopped job. A duration with units, like V(12h) or V(2d).
        type: str
  protect_commands:
    description:
      - Programs that keep their session as long as they run in it, whatever else holds.
      - Each is the name of a program as C(ps -o comm) shows it, or a shell pattern of such names (or a regular
        expression, see O(use_regex)). The kernel knows the first 15 bytes of a name; a longer one is compared by these,
        and a pattern with them.
    type: list
    elements: str
    default: []
  ignore_commands:
    description:
      - Programs that only show something. What they print, read or start is no sign of life.
      - Each is the name of a program as C(ps -o comm) shows it, or a shell pattern of such names (or a regular
        expression, see O(use_regex)). What O(protect_commands) names is not ignored. The element V(default) stands for
        the whole default list, so V([default, our-dashboard]) adds a program to it. An empty list ignores none.
      - A program of somebody's own, started by a path like C(./rain) or C(build/top) and not from where programs are
        installed, is none of the default list, whatever it is called. A name in this list means it, too.
      - The default list is C(aafire amdgpu_top apachetop asciiquarium atop bandwhich bashtop bmon bpytop btm btop
        bwm-ng cacademo cacafire cava cbm cbonsai cifsiostat cmatrix conntrack ctop dmesg dool dstat fastfetch fatrace
        figlet genact gitui glances gotop gping gpustat gtop htop hwatch i7z ifstat iftop info innotop intel_gpu_top
        iostat iotop iotop-c iotop-py iptraf-ng jnettop journalctl jtop k9s lazydocker lazygit less lnav logtop lolcat
        man moar mongostat mongotop moor more most mpstat mtr mtr-packet multitail mytop neofetch nethogs nfsiostat
        ngxtop nload nmon numatop nvidia-smi nvitop nvtop nyancat pcp-dstat peaclock pg pg_activity pg_top pidstat
        pinfo ping ping6 pipes pipes.sh powertop prettyping pspg radeontop rain rocm-smi s-tui sadc sar sl slabtop
        slurm speedometer systemd-cgtop tail tclock tcpdump tcptrack tegrastats tig tload top trip tshark tty-clock
        turbostat udevadm unimatrix varnishlog varnishstat varnishtop viddy virt-top vmstat vnstat vtop watch wavemon
        worms xentop yes ytop zenith).
    type: list
    elements: str
    default: [default]
  attached_idle:
    description:
      - A client, which is a terminal that shows a session, counts as attached only if somebody has typed there within
        this time. By default clients count however long nobody has typed there. A duration with units, like V(12h) or
        V(2d).
      - A connection that broke weeks ago can leave its client behind (C(mosh), a terminal that hangs). So does a
        terminal that nobody sits at.
      - tmux has no such clock for clients in control mode (C(tmux -CC), as terminal programs use them). For
        these, the last time that their terminal was read from counts, and a program that polls does that all the time.
        One without a terminal always counts.
    type: str
  keep_newest:
    description:
      - Keep at least so many sessions of each owner, the user whose tmux server it is. These are the ones used last, of
        those that are looked at.
    type: int
  veto_command:
    description:
      - A command that is asked before anything is removed, or marked to be removed later (see O(notice)). It is run as
        the owner, without a shell, with a minimal environment, once for each owner of whom something would go, for at
        most O(timeout). It is run in check mode too, so it must change nothing.
      - On its standard input it gets a list in JSON, each session in a line of its own, with C(id), C(name), C(session)
        (its id in tmux), C(owner), C(socket), C(action) (V(remove) or V(mark)), C(reason), C(detail), C(created),
        C(windows) and C(commands) (the names of the programs in it). It prints the C(id) of each session that may go,
        one a line, and exits with 0.
      - Whatever it does not name is kept. When it cannot be run, fails, says too much or does not end, nothing of that
        owner goes, and there is a warning.
    type: list
    elements: str
    default: []
  max_removals:
    description:
      - When more sessions than this would be removed, nothing is removed and the task fails, with the plan in the
        result. Sessions that ended by themselves do not count, nor do those of an owner who is over
        O(max_removals_per_owner).
    type: int
  max_percent:
    description:
      - When more than this percentage of the sessions that nothing protects would be removed, nothing is removed and
        the task fails, with the plan in the result.
      - These are the sessions that would go, and those that are kept for one of the reasons V(active), V(young),
        V(used), V(unfinished), V(notice) and V(unplanned). What O(protect) and the like keep does not count, nor does
        what cannot be judged.
      - With 10 sessions, of which 4 have C(@keep), 3 were used not long ago and 3 would be removed, these are 3 of 6,
        or 50 percent.
    type: float
  max_removals_per_owner:
    description:
      - When more sessions of one owner than this would be removed, nothing of that owner is removed, and the sessions
        of all others are. The task does not fail; a warning and RV(owners) name who it was.
      - Such an owner does not count for O(max_removals) and O(max_percent). The sessions of any other owner weigh no
        more than this many in O(max_percent). When it is V(20), 5 sessions of 100 weigh as much as 1 of 20.
      - Where one of these two is set, all owners without an account (user ids that have no name) are one owner, because
        a single user can have thousands of such ids.
      - Without it a single user who makes many sessions can stop every run that O(max_removals) or O(max_percent)
        guards, or keep O(max_percent) from ever stopping one. So set it too where the users of a host need not trust
        each other.
    type: int
  notice:
    description:
      - Mark a session first, and remove it only when this time has passed and nothing has happened in it since. It is
        marked (with a user option of its own) by the first run that would remove it, and removed by a later one. A
        duration with units, like V(12h) or V(2d).
      - CPU time, reads and writes between the two runs of processes that count, as for V(busy) of O(protect), are
        something that happened, and so are such processes that come or go. Then the mark is taken back.
      - The owner is told, with the command that keeps the session first. In tmux, all clients of that owner are told,
        in any server that was looked at. See O(notices_dir), O(mail) and O(notify_command) for when nobody is
        attached.
      - >-
        As long as it is marked, the session has the user option C(@fleet_tmux_until), which says when it may go, for
        a status line. For example
        C(set -g status-right '#{?#{@fleet_tmux_until},goes after #{@fleet_tmux_until} ,}%H:%M').
    type: str
  notice_message:
    description:
      - What is shown in tmux to the owner of a session that was marked (see O(notice)). V({name}), V({id}),
        V({deadline}), V({reason}) and V({keep}), the command that keeps the session, are replaced.
      - The default fits 60 columns. It begins with the command, and ends with when the session goes.
    type: str
  notices_dir:
    description:
      - Leave messages for the owners of sessions in this directory. One is left when a session was marked (see
        O(notice)), which says how to keep it, and one when it was removed, which says why, and how to get it back.
        Without this option none is left.
      - There is a file for each user, C(UID), which belongs to root, and which nobody but root and that user may read
        (by an access control list). On a file system without such lists it belongs to the user, mode 0400. What shows
        it at the next login the role C(fleet.tmux.tmux_cleanup) installs with its variable
        C(tmux_cleanup_login_notices).
      - A file holds the 50 newest messages, and at most 16 KiB. Of notice that is taken back the message goes too.
        Users without an account get none.
      - V(default) is C(/var/lib/fleet-tmux/notices) for root, and none for others. Any other directory must be
        written as an absolute path. It is created if it is missing; nobody but the user that the module runs as may
        write to it. Where it cannot be used, there is a warning. Check mode writes none.
    type: path
  mail:
    description:
      - Whether to mail the owner of a session, on the host, how to keep it when it was marked (see O(notice)), and why
        it was removed and how to get it back when it was.
      - That needs a C(sendmail) in C(/usr/local/sbin), C(/usr/sbin), C(/usr/lib) or C(/usr/bin), of which the first is
        taken. Where there is none, nobody is mailed.
      - It is run as the user that the module runs as, usually root, with that user as the sender, and with the name
        of the account as the only receiver. It is one mail for each owner and run.
    type: bool
    default: false
  notify_command:
    description:
      - A command that is run when a session was marked (see O(notice)), and when it was removed, once for each. Its
        last five arguments are the name of the session, its owner, a time, V(marked) or V(removed), and where the
        session was saved.
      - The time is when it may go, or when it has gone. The last argument is empty for a session that was not saved.
      - It is run as the owner, without a shell, with a minimal environment, and is held to what the processes of that
        owner are held to.
    type: list
    elements: str
    default: []
  memory_dir:
    description:
      - Remember in this directory what was seen of sessions that nothing else keeps, so that the next run knows what
        they have used since then, and needs no O(notice) for that. Without this option nothing is remembered. What is
        remembered is CPU time, reads and writes of processes that count (not shells at their prompt, helpers, and
        programs that only show something), fingerprints of what panes show, and when something of that, or of what
        else the host shows, last told of activity.
      - V(default) is C(/var/lib/fleet-tmux/memory) for root, and C(fleet-tmux/memory) in the state directory of others
        (C($XDG_STATE_HOME), else C(~/.local/state)). Any other directory must be written as an absolute path. It is
        created if it is missing; nobody but the user that the module runs as may write to it.
      - There is one file for each owner, mode 0600. It is no change, and check mode never writes it. A look younger
        than an hour does not replace an older one. Where it cannot be read or written, a verdict only knows less.
    type: path
  snapshot_dir:
    description:
      - Save each session before it is removed, to C(OWNER/TIME-NAME-RANDOM) in this directory. Without this option
        none is saved, and what was removed cannot be got back. What is saved is the
        whole text of every pane, the layout, working directories, commands, options and the names (never the values)
        of environment variables. C(declaration) in its C(session.json) is the session as options of
        M(fleet.tmux.tmux_session), like that of M(fleet.tmux.tmux_session_info).
      - The script C(restore) in a snapshot brings its windows, layouts, directories and text back. Its owner types
        C(sh SNAPSHOT/restore), and needs tmux and Python 3 for it, neither Ansible nor this collection. It refuses to
        run for anybody else; an admin uses O(fleet.tmux.tmux_session#module:snapshot). Nothing that ran in the session
        is started again.
      - It is complete or not there at all. A session that cannot be saved is kept, and so is one whose user wants no
        snapshot of it, see O(allow_no_snapshot).
      - As root, the directory belongs to root, mode 0755 where it is made, with C(.incoming), mode 0700, for what is
        half done. C(OWNER) and the snapshots in it belong to their owner, mode 0700, with files of mode 0600 (0700 the
        script). So only the owner and root can read them, and they count in the owner's quota. Whoever owns such a
        directory can also put other files there; take a file system whose space nothing else needs.
      - A snapshot takes at most 16 MiB, and all of one owner 1 GiB in one run; when less than 128 MiB of that are
        left, each takes at most an eighth of them. Of a pane with more text the newest part is saved, and
        its C(detail) says how much was left out, as it does of options and variables. Sessions with more than
        500 panes, and those for which no room is left, are kept.
      - V(default) is C(/var/lib/fleet-tmux/snapshots) for root, and C(fleet-tmux/snapshots) in the state directory of
        others (C($XDG_STATE_HOME), else C(~/.local/state)). Any other directory must be written as an absolute path. It
        is created if it is missing; nobody but the user that the module runs as may write to it, and nobody but that
        user and root may be able to exchange a directory above it. A link on the way is only followed if one of these
        made it, where others may not write.
    type: path
  snapshot_colors:
    description:
      - Whether a snapshot (see O(snapshot_dir)) has the text of every pane a second time, with its colours as escape
        sequences.
    type: bool
    default: false
  snapshot_keep:
    description:
      - Which saved sessions (see O(snapshot_dir)) of an owner stay when new ones were saved; all do of which nothing is
        said here.
      - In one run, 20000 files of each owner are looked at, and as many removed. There is a warning for who has more.
      - Snapshots that another version of this collection has made in another format, and whatever else lies there,
        always stay, and are not counted.
    type: dict
    suboptions:
      count:
        description: How many of the newest stay.
        type: int
      age:
        description: How long they stay. A duration with units, like V(2d) or V(4w).
        type: str
      size:
        description: How many bytes they may take together, of which the newest are kept. It is a number with the unit
          C(K), C(M), C(G) or C(T), like V(500M). One run makes no more than that either.
        type: str
  allow_no_snapshot:
    description:
      - Whether a session that would otherwise be saved (see O(snapshot_dir)) may go without that because its user has
        said so (C(tmux set @no_snapshot on)). If not, it stays.
    type: bool
    default: false
  planned:
    description:
      - Remove only these sessions, of those that the policy names now. Each is the C(identity) that an earlier run in
        check mode returned in RV(removed).
      - This is for plans that somebody approves, or that are compared with others, before anything is removed anywhere.
        An empty list removes nothing. What the policy names and the plan does not is kept, with the reason
        V(unplanned).
      - Notice is given only to these sessions and to those of O(planned_marks). Of these, one is given notice that
        bore a mark of an earlier run when the plan was made, and has lost it since.
      - O(max_removals), O(max_percent) and O(max_removals_per_owner) count only what is planned.
    type: list
    elements: str
  planned_marks:
    description:
      - Mark only these sessions (see O(notice)), and those of O(planned). Each is the C(identity) that an earlier run
        in check mode returned in RV(marked). None of these is removed, however long ago somebody else has given it
        notice since.
      - Without it and without O(planned), notice is given as O(notice) says. With O(planned) alone, it is given to none
        but those.
    type: list
    elements: str
  survivors:
    description:
      - What happens to processes that outlive their session (by C(nohup), C(setsid), forking twice, or ignoring
        SIGHUP).
      - V(report) lists them. V(terminate) sends SIGTERM, waits for O(grace_period), and then sends SIGKILL, only to
        processes that
        are proven to belong to the session, belong to its owner, and are still the same at that moment. A tmux server
        started in a session
        is not one, and neither is what runs in a window that another session still holds.
    type: str
    choices: [report, terminate]
    default: report
  grace_period:
    description:
      - With O(survivors=terminate), how long processes that outlive their session have between SIGTERM and SIGKILL, at
        most V(1h). A duration with units, like V(10s).
      - V(0s) sends SIGKILL at once.
    type: str
    default: 10s
extends_documentation_fragment:
  - fleet.tmux.attributes
  - fleet.tmux.attributes.actiongroup
  - fleet.tmux.connection
  - fleet.tmux.connection.scope
seealso:
  - module: fleet.tmux.tmux_session
  - module: fleet.tmux.tmux_session_info
"""

EXAMPLES = r"""
- name: See what a day of idleness would remove, without removing it
  fleet.tmux.tmux_session_prune:
    idle: 24h
  check_mode: true
  register: plan

- name: Remove my own sessions that were idle for two days
  fleet.tmux.tmux_session_prune:
    idle: 2d

- name: Remove the sessions of an orchestrator that have ended, or were idle for two hours
  fleet.tmux.tmux_session_prune:
    patterns: agent-*
    finished: true
    idle: 2h
    # The list takes the place of the default, to which this adds one.
    protect: [attached, busy, keep, running, stopped, unsaved, waiting]

- name: Give a day's notice, save what is removed, and never remove more than a third
  fleet.tmux.tmux_session_prune:
    idle: 3d
    notice: 1d
    snapshot_dir: default
    snapshot_keep:
      count: 50
      age: 4w
    max_percent: 33.4

- name: Remove what an agent has made and forgotten, but not the three sessions of each user that were used last
  fleet.tmux.tmux_session_prune:
    never_attached: 1d
    idle: 12h
    where:
      '@made_by': agent
    keep_newest: 3
    ignore_commands: [default, agent-status]
    protect_commands: [postgres, "jupyter*"]

- name: Keep what has a ticket, and let stopped jobs and unsaved text go after two months
  fleet.tmux.tmux_session_prune:
    idle: 1w
    veto_command: [jq, -r, '.[] | select(.name | startswith("ticket-") | not) | .id']
    protect_for:
      stopped: 8w
      unsaved: 8w

- name: Remove idle sessions of all users but two
  fleet.tmux.tmux_session_prune:
    idle: 1w
    all_users: true
    exclude_users: [root, backup]
  become: true
"""

RETURN = r"""
removed:
  description:
    - The sessions that were removed, or in check mode would be, sorted by owner, socket and name.
    - This and the other lists of sessions hold at most 1 MiB of one owner (that is about a thousand sessions), and
      8 MiB in all, of which each owner gets an equal share at least. Where one has more, sessions are told of in short
      (the C(detail), C(evidence) and all lists are left out), first those that were removed, then those of
      RV(not_done), RV(marked) and RV(kept). What does not fit in even so is counted in RV(unlisted).
  returned: always
  type: list
  elements: dict
  sample:
    - name: build-41
      id: $3
      identity: 4711/1763400000/$3/1763500000
      owner: alice
      socket: /tmp/tmux-1000/default
      reason: idle
      detail: no activity for 2d 4h
      idle: 187204
      evidence: {attached: 0, created: 1763500000, dead_panes: 0, input: 1763500000, io_calls: 0, cpu_ticks: 0,
        keep: '', last_attached: null, more: {signs: 0}, output: 1763500000, panes: 1, signs: [], watched_seconds: 1.0,
        windows: 1}
  contains:
    name:
      description:
        - Its name. Control characters and bytes that are no text are written as escapes.
        - Texts have a limit. Of a longer one the beginning is there, and V(... and 17 more characters). A name has 400
          characters at most, a sentence 500.
      type: str
      returned: always
    id:
      description: Its id in its server, like V($3).
      type: str
      returned: always
    identity:
      description:
        - Who it is on its host, namely the process id and start of its server, its id, and its creation. It stays the
          same when the session is renamed, and no other session of the host has it. See O(planned) and
          O(planned_marks).
        - Null for one that cannot be read.
      type: str
      returned: always
    owner:
      description: The user whose server it is in.
      type: str
      returned: always
    socket:
      description: The socket of the server.
      type: str
      returned: always
    reason:
      description:
        - V(idle), V(older_than), V(never_attached) or V(finished) of those removed.
        - Of those kept, V(attached), V(keep), V(running), V(busy), V(unsaved), V(waiting) or V(stopped) for
          protections, V(command) for a program in O(protect_commands), V(newest) for O(keep_newest), V(no_snapshot)
          for what its user wants no snapshot of, see O(allow_no_snapshot), V(vetoed) for O(veto_command),
          V(active), V(young), V(used) or V(unfinished) for criteria that do not hold, V(notice) for one that was marked
          before and whose time has not come, V(guard) for one that would have been removed or marked if there had not
          been too many, V(changed) for something that happened after it was judged, V(unplanned) for one whose removal
          or mark is not in O(planned) or O(planned_marks), V(vanished) for a session that ended by itself meanwhile,
          V(unknown) for what cannot be judged.
        - V(error) of those in RV(not_done), V(not_saved) if no snapshot could be made, or V(not_attempted) if the run
          ended before. The first also where a removal or mark was ordered and the deadline of its owner (see
          O(timeout)) was over before it was known what came of it; the C(detail) says so.
      type: str
      returned: always
    detail:
      description: The reason in words.
      type: str
      returned: always
    idle:
      description: Seconds since the newest clock that counts for O(activity). Null if it is not known.
      type: int
      returned: always
    evidence:
      description:
        - What the verdict was reached by. Clocks are seconds since 1970. It is empty for a session that cannot be read.
      type: dict
      returned: always
      contains:
        # The clocks, from the table of fields.
        created:
          description: When it was created.
          type: int
          returned: always
        input:
          description: When a client last gave input.
          type: int
          returned: always
        last_attached:
          description: When a client last attached. Null if none ever did.
          type: int
          returned: always
        output:
          description: When one of its windows last had output.
          type: int
          returned: always
        # The end of the clocks.
        attached:
          description: How many clients were attached.
          type: int
          returned: always
        keep:
          description:
            - What its user option C(@keep) said.
            - Of another user, V(other) for what is neither V(on), V(off), a date nor a duration, unless
              O(evidence_detail=full).
          type: str
          returned: always
        windows:
          description: How many windows it had.
          type: int
          returned: always
        panes:
          description: How many panes it had.
          type: int
          returned: always
        dead_panes:
          description: How many of these were dead.
          type: int
          returned: always
        signs:
          description:
            - What the host shows of it beside that, as far as it was read; reading stops at the first that keeps.
            - At most 20 are listed; C(more) says how many more there are.
          type: list
          elements: dict
          returned: always
          contains:
            kind:
              description:
                - V(started), V(wrote), V(network), V(worked) and V(remembered) are clocks, V(unsaved), V(waiting) and
                  V(stopped) hold now, and V(unknown) is what could have protected it and could not be read.
              type: str
              returned: always
            at:
              description: When it happened, in seconds since 1970. Null for what is no clock.
              type: int
              returned: always
            detail:
              description:
                - The sign in words, like V(wrote train.log 3m ago (python3)).
                - Of another user without what that user has chosen, unless O(evidence_detail=full).
              type: str
              returned: always
        more:
          description: How many more C(signs) there are.
          type: dict
          returned: always
          sample: {signs: 0}
        watched_seconds:
          description: For how long its processes were watched.
          type: float
          returned: when it was watched
        cpu_ticks:
          description: How many ticks of CPU time they used meanwhile.
          type: int
          returned: when it was watched
        io_calls:
          description:
            - How often they read, wrote, started or ended meanwhile. Of processes of other users than its owner and
              root it is how often they had their turn at a processor.
          type: int
          returned: when it was watched
    snapshot:
      description: Where it was saved. Null if it was not. Its owner gets it back with C(sh SNAPSHOT/restore).
      type: str
      returned: always
    survivors:
      description:
        - Its owner's processes of it that live on, with C(pid), C(command), C(rss) (bytes), C(ports) (TCP ports it
          listens on), C(result) (V(reported), V(terminated), V(killed) or V(alive)), and C(more) (how many more
          C(ports) there are than the 20 that are listed).
        - At most 20 are listed; C(more) says how many more there are.
      type: list
      elements: dict
      returned: always
    lives_on:
      description:
        - Its windows that live on because other sessions hold them too (session groups, linked windows), with
          C(window), C(name) (null of another user, unless O(evidence_detail=full)), C(sessions), and C(more) (how many
          more C(sessions) there are than the 5 that are listed).
        - At most 20 are listed; C(more) says how many more there are.
      type: list
      elements: dict
      returned: always
    removed_files:
      description: The files that were removed with it because of O(fleet.tmux.tmux_session#module:cleanup), or in check
        mode would be now, at most 100. Of other users only with O(evidence_detail=full).
      type: list
      elements: str
      returned: always
    left_files:
      description: The C(path) of each of them that could not be removed, and the C(reason), told like those.
      type: list
      elements: dict
      returned: always
    freed:
      description:
        - How many of its processes have ended, and how many bytes of resident memory they had. What several removed
          sessions share is counted with the first.
      type: dict
      returned: always
      sample: {processes: 2, bytes: 10485760}
    more:
      description: How many more C(survivors), windows in C(lives_on), C(removed_files) and C(left_files) there are than
        are listed.
      type: dict
      returned: always
      sample: {survivors: 0, lives_on: 0, removed_files: 0, left_files: 0}
marked:
  description: The sessions that were given notice, or in check mode would be. In the shape of RV(removed).
  returned: always
  type: list
  elements: dict
kept:
  description: The sessions that were looked at and not removed, with the reason. In the shape of RV(removed).
  returned: always
  type: list
  elements: dict
not_done:
  description: The sessions that should have been removed and were not, because something went wrong. In the shape of
    RV(removed).
  returned: always
  type: list
  elements: dict
unlisted:
  description:
    - How many sessions of which owner are not in the lists RV(removed), RV(marked), RV(kept) and RV(not_done), and how
      many servers not in RV(servers) (which has at most 128 KiB of one owner and 2 MiB in all), because there are too
      many. They are in RV(counts) all the same.
  returned: always
  type: list
  elements: dict
  sample: [{owner: alice, removed: 0, marked: 0, kept: 7000, not_done: 0, servers: 0}]
owners:
  description: What guards have counted of each owner, sorted by name. Sessions that vanished do not count.
  returned: always
  type: list
  elements: dict
  sample:
    - {owner: alice, removals: 3, unprotected: 6, over_limit: false, message: ""}
    - {owner: mallory, removals: 1000, unprotected: 1000, over_limit: true,
      message: "1000 sessions of this owner would be removed, max_removals_per_owner is 20"}
  contains:
    owner:
      description: Who it is.
      type: str
      returned: always
    removals:
      description: How many sessions the policy would remove.
      type: int
      returned: always
    unprotected:
      description: How many nothing protects, see O(max_percent). RV(owners[].removals) are among them.
      type: int
      returned: always
    over_limit:
      description: Whether there are more than O(max_removals_per_owner).
      type: bool
      returned: always
    message:
      description: Why nothing of this owner may be removed, in words. Empty if no guard forbids it.
      type: str
      returned: always
servers:
  description: The servers that were looked at.
  returned: always
  type: list
  elements: dict
  contains:
    socket:
      description: The path that its socket is, or was, bound to.
      type: str
      returned: always
    owner:
      description: The user whose server it is.
      type: str
      returned: always
    pid:
      description: Its process id, if it is known.
      type: int
      returned: always
    start_time:
      description: When it was started, in seconds since 1970, if it answered.
      type: int
      returned: always
    version:
      description: Its version of tmux, if it answered and has sessions.
      type: str
      returned: always
    status:
      description:
        - V(ok); V(hung) if it did not answer in time, or the time for its owner's servers was over (see O(timeout));
          V(denied) if it may not be used; V(mismatch) if it does not speak the protocol of our tmux; V(orphaned) if
          the process lives and its socket is gone; V(recovered) if it was, or in check mode would be, asked to make
          its socket again, so that the next run looks at its sessions; V(foreign) if it is in a container or another
          namespace of mounts or process ids; V(unreachable) for the rest.
      type: str
      returned: always
    reason:
      description: What is wrong with it, in words.
      type: str
      returned: always
scope:
  description:
    - Whose servers were looked at, V(host) for all users of the host (or those chosen), V(own) for only those of the
      user that the
      module runs as, although others were asked for, V(socket) for the one server.
  returned: always
  type: str
note:
  description:
    - What else there is to say of the host that is no trouble, in words. Empty if there is nothing.
    - Without tmux on the host, and without O(executable), the task does not fail. Servers that run all the same are
      asked with the program that each of them runs; see O(executable).
  returned: always
  type: str
counts:
  description: How many sessions were looked at, removed, kept, not done or left out by patterns, of how many of those
    that were kept notice was taken back (C(unmarked)), and how many servers there were.
  returned: always
  type: dict
  sample: {looked_at: 7, removed: 3, marked: 0, kept: 4, not_done: 0, not_matched: 2, servers: 2, unmarked: 0}
freed:
  description: How many processes of removed sessions have ended, and how many bytes of resident memory they had.
  returned: always
  type: dict
  sample: {processes: 5, bytes: 20971520}
judged_at:
  description:
    - When the sessions were judged, in seconds since 1970, by the clock of the host. Null if the task failed before.
  returned: always
  type: int
  sample: 1763700000
"""

from typing import Any, Dict, Optional, Tuple

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.fleet.tmux.plugins.module_utils._modules.options import note_of, server_options, set_up
from ansible_collections.fleet.tmux.plugins.module_utils._modules.owners import the_owners
from ansible_collections.fleet.tmux.plugins.module_utils._modules.prune_options import limits, policy, settings
from ansible_collections.fleet.tmux.plugins.module_utils._modules.prune_owners import Order, prune_all
from ansible_collections.fleet.tmux.plugins.module_utils._modules.prune_result import EMPTY_RESULT, over_limit
from ansible_collections.fleet.tmux.plugins.module_utils._modules.results import (
    TaskError,
    finish,
    judge_servers,
    warn_each,
)
from ansible_collections.fleet.tmux.plugins.module_utils._policy.values import PRUNE, checked
from ansible_collections.fleet.tmux.plugins.module_utils._specs.tmux_session_prune import ARGUMENT_SPEC


def look_and_prune(module: AnsibleModule) -> Tuple[Dict[str, Any], Optional[Exception]]:
    """Look, decide, carry out, and report: the result, and what went wrong."""
    values = checked(module.params, PRUNE)
    options = server_options(values)
    host = set_up(module, options, needs_tmux=False)
    order = Order(policy(values), limits(values), settings(values, host), module.check_mode, options.recover_sockets)
    chosen, scope = the_owners(module, options, host)
    told = prune_all(host, chosen, order)
    result, problem = told.result(scope, module._diff)
    result["note"] = note_of(host, result["servers"])
    warn_each(module, over_limit(result))
    if told.refused:
        return result, TaskError(told.refused)
    error, warnings = judge_servers(result, options.failed_servers, told.error)
    warn_each(module, told.trouble)
    warn_each(module, warnings)
    return result, problem or error


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    finish(module, lambda: look_and_prune(module), EMPTY_RESULT)


if __name__ == "__main__":
    main()
