#!/usr/bin/python
# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Manage tmux sessions."""

DOCUMENTATION = r"""
module: tmux_session
short_description: Manage tmux sessions
version_added: 0.1.0
author:
  - Fleet maintainers (@fleet-tmux)
description:
  - Makes sure that named tmux sessions exist, do not exist, or are the only ones of their server; or that a job has
    been run once in a session, to which somebody can attach meanwhile.
  - Names are always compared in full, never by prefix or pattern.
  - Each removal is told of in the system log of the host, as by M(fleet.tmux.tmux_session_prune).
  - A server that the module has to start gets a clean environment (C(HOME), C(USER), C(LOGNAME), C(SHELL), C(PATH)
    and a UTF-8 locale of its owner), V(/) as its directory, and none of the caller's open files. It outlives the
    connection, as far as the host lets processes do that after a logout; see O(scope).
options:
  name:
    description:
      - The names of the sessions.
      - For O(state=present) and O(state=completed), any text that every supported tmux stores unchanged. Names with
        V(:), V(.), V($) or backslashes, with control characters or without any character are refused, for some version
        of tmux would rewrite them.
      - For the other states, whatever name a session has.
    type: list
    elements: str
    required: true
  state:
    description:
      - V(present) creates what is missing as detached sessions. Sessions that exist are left as they are.
      - V(absent) removes exactly the named sessions, attached or not.
      - V(only) keeps the named sessions and removes all others of that server, attached or not. If one of the names
        does not exist, the module fails and removes nothing.
      - V(completed) makes sure that a job, O(command) or O(argv), has been run. It runs it in a session that it
        creates, waits until the command has ended, records how, and removes the session. RV(job) tells of it. It takes
        exactly one O(name).
      - The same job is not run again. Another run returns what was recorded, and one that comes while it still runs,
        or has ended without being recorded, waits for it and records it. So a task that was cut off, like by an ssh
        connection that broke, or one with C(async), can just be run again.
      - It is the same job as long as its host, its O(name), its socket, O(argv), O(chdir), O(command), O(env),
        O(height), O(log), O(options), O(width) and O(window_name) are the same. Else it is run anew, unless the session
        of the other one is still there; the task fails then, and so it does when a session of that name is no job at
        all. One whose session somebody has renamed is the same job still.
      - When another run has done the job meanwhile, it is not done again, and what that run has recorded is returned.
      - A job whose session is gone before its end was seen, be it removed or with its server, is not recorded and is
        run again. When only its pane is gone, and something else is in its session, the task fails until that session
        is removed.
      - When somebody has moved its pane to another session (C(join-pane), C(break-pane), C(move-window)), the job is
        waited for there, and a warning says where. That session is never removed, nor is the pane, and the files of
        O(cleanup) stay. tmux before 3.0 keeps no pane when its command ends in a window of somebody else, so nobody
        knows then how it ended; and when its window and its session have gone with the move, the job is only known to a
        run that waits already.
      - What somebody has started beside it in its session is left alone. The session then stays, and a warning says so.
    type: str
    choices: [present, absent, only, completed]
    default: present
  rerun:
    description:
      - With O(state=completed), whether the job is run anew although it is recorded.
      - One that still runs, or has ended without being recorded, is waited for even then. It may be the run of a task
        that was cut off.
    type: bool
    default: false
  wait_timeout:
    description:
      - With O(state=completed), how long to wait for the end of the job. A duration with units, like V(90s) or
        V(1d12h); O(timeout) is about a single call of tmux.
      - When it is over, the job goes on. Another run waits for the same one.
    type: str
    default: 1h
  fail_on_timeout:
    description: Whether the task fails when it has waited that long. Else RV(job.timed_out) says so.
    type: bool
    default: true
  fail_on_status:
    description:
      - With O(state=completed), whether the task fails when the job has ended with an exit status other than 0, by a
        signal, or in a way that tmux does not know.
      - A job that has failed is recorded, and is not run again by itself, for it may have done a part of its work. So
        the task fails again each time, from the record, until there is O(rerun=true) or another job.
    type: bool
    default: true
  content_lines:
    description: How many lines RV(job.content) has at most, counted from the end; of more than a million characters
      the last million.
    type: int
    default: 100
  cleanup:
    description:
      - Which files go with the session, like its log, and what its command notes of its progress or was begun with.
      - They are removed by whatever of this collection sees its end. That is M(fleet.tmux.tmux_session_wait), which
        sees that its command has ended, O(state=absent) and O(state=only), and M(fleet.tmux.tmux_session_prune), when
        it is gone; and O(state=completed), when the end of the job was recorded, however it ended, just before its
        session. Who ends a session otherwise, like with C(tmux kill-session), leaves them there.
      - So they are noted at the session, in its option C(@fleet_tmux_cleanup). A session that is there is told, too;
        V({}) has nothing go with it any more, and by default what is noted there stays as it is. A job for which a task
        says nothing of it takes what is noted.
      - That is done with the rights of the user whose server it is, never with those of root. Only files and links that
        belong to that user are removed, of a link only itself, and no directory. Nobody but that user and root may be
        able to exchange a directory on the way to them. RV(removed[].left_files) or RV(job.left_files), and a warning,
        say what is still there, and why. What is missing is fine.
      - What is noted at another session of the server, too, or is a log to which the output of one is written, stays
        until that goes; and so does a log to which something else still writes, and all of a session whose windows
        another one has still (session groups, linked windows).
      - A session that is created anew by O(recreate) leaves its files to the new one.
      - When somebody has removed the session of a job meanwhile, the files stay, and a warning says so. They may be of
        another run of the job by then.
      - Whoever can use the server can change what is noted, and so have any file of its owner removed. They could do
        that as well by what they have run there.
      - It takes exactly one O(name).
    type: dict
    suboptions:
      log:
        description: Whether the file of O(log) is removed, or those of O(windows[].log) and O(windows[].panes[].log),
          and the older ones of O(log_max_size). What a wait or RV(job.content) tells then has to be enough.
        type: str
        choices: [keep, remove]
        default: keep
      files:
        description: The paths of other files, at most 100 and 16000 bytes together, absolute or beginning with V(~/),
          and none in O(jobs_dir).
        type: list
        elements: str
        default: []
  jobs_dir:
    description:
      - With O(state=completed), where the records are, one file for each job. It is made if it is missing, for nobody
        but the user whose server it is, and only read and written with the rights of that user.
      - V(default) is C(.local/state/fleet-tmux/jobs) in the home of that user, whatever C($XDG_STATE_HOME) is, for
        all runs must find the same. Any other directory must be written as an absolute path.
      - It must belong to that user or root. Nobody else may be able to write to it, or to exchange a directory on the
        way to it; otherwise the task fails before anything is run. A record that belongs to somebody else, that others
        may write to, or that is not what was written is not trusted. A warning says so, and it is as if there were
        none. When a record cannot be read for another reason, as from a file system that does not answer, the task
        fails and nothing is run.
      - It may be shared by several hosts, like a home on a file server. What was run on one of them was not on another.
        A host is known by C(/etc/machine-id), or by its name where it has none. So hosts must not have the same.
      - At most 500 records and 4 MiB are kept of each host; the oldest go. A job whose record is gone is run again.
        Other files in that directory are left alone; neither O(log) nor a file of O(cleanup) may be in it.
      - What a job is declared to be is recorded as a hash. It is made with a key that is kept in that directory too,
        and slowly for the values of O(env), so that neither the hash nor the session's mark C(@fleet_tmux_job), which
        also says in which pane the job runs, tells them.
    type: str
    default: default
  command:
    description:
      - What new sessions run, as a command for the user's shell. By default they run that shell.
      - A command that ends within the first moments makes the module fail and say how it ended, unless O(keep_exited).
    type: str
  argv:
    description:
      - What new sessions run, as a list of words that no shell looks at. So it also runs as a user whose shell is
        C(nologin).
    type: list
    elements: str
  chdir:
    description:
      - The directory in which new sessions start, absolute or beginning with V(~/). It must exist. The default is the
        owner's home.
    type: str
  env:
    description:
      - Environment variables for new sessions.
      - Their values are in no process's arguments and not in the server's global environment. The result, the log of
        the host and all messages leave them out, and what else is told is not changed by that, so a value like V(1) or
        V(yes) hides nothing. One of 6 characters or more is also replaced by asterisks wherever else it is found, like
        in what a command has said, but not in names. The same holds for each line of one with several lines.
      - tmux since 3.2 keeps all commands that it was given among its messages (C(tmux show-messages)), with the values.
        So once they are set it is made to forget its messages, those too that have nothing to do with this, unless
        it ends, or does not answer any more, in between. As long as the session is there, whoever may use its server
        can read the values of the session itself (C(tmux show-environment)).
      - Variables of a session that exists are left alone. RV(drift) names those that it does not have as they are
        declared, without any value.
      - Callbacks that show all arguments of tasks, like C(display_args_to_stdout), show them, as those of every module,
        unless the task has C(no_log).
    type: dict
  width:
    description:
      - Columns of new sessions while nobody is attached.
    type: int
  height:
    description:
      - Rows of new sessions while nobody is attached.
    type: int
  window_name:
    description:
      - The name of the window in new sessions. By default tmux names it after what runs in it.
    type: str
  windows:
    description:
      - The windows of the sessions, in this order. O(env), O(chdir), O(width) and O(height) hold for each of them that
        does not say otherwise.
      - In a session that exists, those that are missing are added after the others. A window is the one that was made
        as it by this module, whatever it is called by now; that is given its name again. Else it is one that has its
        name. One that is declared without a name may be any that was begun with the same commands, and else is the one
        that was made in its place among O(windows). Options are set. What runs, order, layouts, focus, titles,
        directories and environments of windows that exist are left alone. RV(drift) tells of windows that are not
        declared, of another order, of another number of panes, of panes that have ended, of other commands, and of
        layouts, directories and variables as far as tmux and the kernel show them. See O(prune_windows).
      - Titles are not compared, for programs choose them, nor is which window and pane is the current one.
      - All of a session is made within O(timeout), or nothing of it. So is all that is added to one that exists; who
        is attached to it stays in the same window meanwhile, and windows of others are left alone.
      - It takes the place of O(command), O(argv) and O(window_name), and cannot be together with O(snapshot).
    type: list
    elements: dict
    suboptions:
      name:
        description: Its name. By default tmux names it after what runs in it. No two windows have the same. With the
          option C(automatic-rename) it is only the first one, for tmux names the window then.
        type: str
      command:
        description:
          - What it runs, as a command for the user's shell. By default it runs that shell.
          - Control characters but newlines and tabs are refused here and in O(windows[].argv), for tmux shows them in
            ways of its own, so that another run could not compare them.
        type: str
      argv:
        description: What it runs, as a list of words that no shell looks at.
        type: list
        elements: str
      chdir:
        description:
          - The directory in which its panes start, like O(chdir).
          - tmux shows since 3.3 where a pane was begun; before, RV(drift) does not tell of that.
        type: str
      env:
        description:
          - Environment variables for its panes, besides those of O(env). They are as secret as those.
          - Those of a pane that exists are left alone. RV(drift) names those with which it was not begun as they are
            declared, without any value. That is known only as long as its process is the very one that tmux has begun,
            with the words that are declared, and lets us look. What a shell has become (C(exec), which many do with
            their last command) may have other variables, so it is not compared. Nor are C(PATH), C(SHELL), C(TERM) and
            others that tmux or shells set by themselves.
        type: dict
      log:
        description: A file to which is appended what it prints, like O(log). A window with O(windows[].panes) has none;
          they have.
        type: str
      panes:
        description: Its panes, in this order. By default it has one. They take the place of its command.
        type: list
        elements: dict
        suboptions:
          command:
            description: What it runs, as a command for the user's shell. By default it runs that shell.
            type: str
          argv:
            description: What it runs, as a list of words that no shell looks at.
            type: list
            elements: str
          chdir:
            description: The directory in which it starts, like O(chdir).
            type: str
          env:
            description: Environment variables for it, besides those of its window. They are as secret as those.
            type: dict
          title:
            description: Its title at first; what runs in it may choose another one.
            type: str
          focus:
            description: Whether it is the active pane of its window. By default the first one is.
            type: bool
            default: false
          log:
            description:
              - A file to which is appended what it prints, like O(log). Each pane has one of its own.
              - In a window that exists, a pane that has none gets it from then on, if there are as many panes as are
                declared and it runs what is declared.
            type: str
      layout:
        description:
          - How its panes lie, V(even-horizontal), V(even-vertical), V(main-horizontal), V(main-vertical) or V(tiled),
            or exactly what tmux shows as C(window_layout) for a window with as many panes.
          - By default they are tiled when they are made, and are not compared afterwards.
          - In a window that exists, one of those words is compared only by which panes are beside and below each other,
            whatever its size. What tmux shows is compared whole while the window has the same size.
        type: str
      options:
        description: Options of a window and user options for it, like O(options), which they take the place of.
        type: dict
      focus:
        description: Whether it is the current window of a new session. By default the first one is.
        type: bool
        default: false
  keep_exited:
    description:
      - Whether panes stay when their command ends, so that its exit status and what it printed can be read, with
        M(fleet.tmux.tmux_session_wait) or M(fleet.tmux.tmux_session_info), until the session is removed. It is the
        option C(remain-on-exit) of the windows that the session has; a window that somebody opens later is as the
        server is configured.
      - A command that ends within the first moments is no failure then, also when it fails.
      - A session that is there is set likewise; what has ended in it before is not brought back.
      - A session whose commands have all ended still exists, so it is not made anew. M(fleet.tmux.tmux_session_prune)
        removes it with O(fleet.tmux.tmux_session_prune#module:finished).
      - By default new sessions are as the server is configured, which usually means that they end with their command,
        and those that exist stay as they are.
    type: bool
  options:
    description:
      - tmux options of the sessions, by name. Options of a session and user options (like C(@made_by)) are set for the
        session, options of a window (like C(mode-keys)) for each of O(windows), or the first window; see C(man tmux).
        They are set in sessions that exist, too. No other option is changed or removed.
      - Names are written in full. An option that the tmux of the server does not have, an option of a server, and a
        value that it does not take are errors, before anything is done, and in check mode too.
      - Values are tried on a tmux that is started for that, as the owner, where nobody else can reach it. It reads no
        configuration, has no sessions, runs nothing, and ends at once. Where they cannot be tried, as where nothing can
        be made in C(/tmp), or on a server of another version than the tmux of the host whose own program is not to be
        run, check mode finds no wrong value; the run finds it, sets no option, and removes a session that it has made.
      - Values are stored as they are written, without expanding anything. One of yes or no is written V(on) or V(off),
        also without quotes. Control characters but newlines and tabs are refused.
      - Where tmux prints a value otherwise than it was written (C(bold) as C(bright), before 2.9), a user option that
        begins with C(@fleet_tmux_as_) remembers how it was, so that another run changes nothing.
      - tmux itself runs what some options say, like C(default-command), or C(#(...)) in C(status-right), as the user
        whose server it is.
      - What C(remain-on-exit) says is said by O(keep_exited).
    type: dict
  log:
    description:
      - A file to which is appended what the command of the session prints, escape sequences and all, from its first
        moment on. The session's C(pipe-pane) does that, for its first pane.
      - An absolute path, or one that begins with V(~/). Its directory must exist, and belong to the owner or root, and
        nobody else may be able to write to it or to exchange a directory on the way to it. So it cannot be V(/tmp)
        itself.
      - The file is the owner's, with mode C(0600), and is opened with the owner's rights and not through a link. It is
        made if it is missing, and only removed by O(cleanup). What writes to it ends with the session.
      - The kernel and tmux may drop what a command prints immediately before it ends, more easily when that is much at
        once. It is missing in the file, and on the screen, too. A command that must not lose it waits a moment before
        it ends (like C(; status=$?; sleep 1; exit $status)), or writes to a file by itself.
      - In a session that is there it begins from then on, if its output is not written there yet. A C(pipe-pane) that
        somebody else has begun is left as it is; a warning and RV(drift) say so.
      - It takes exactly one O(name), and neither O(windows), which have O(windows[].log) and O(windows[].panes[].log),
        nor O(snapshot).
      - Several panes of other sessions may append to the same file as long as none of them has O(log_max_size). What
        they print is mixed then, but nothing is lost.
    type: str
  log_max_size:
    description:
      - How large the file of O(log), and of each window and pane that has one, gets, as a number with a unit (V(K),
        V(M), V(G) or V(T)), like V(10M); at least V(64K). Before it would be larger it is renamed to one that ends in
        C(.1), in place of the one that was called so, and a new one is begun. So the last part of the output is there,
        and nothing is lost between the two. Where something is called so that is no file, the log is refused.
      - A file to which something else of its owner's writes already is refused, as is one that another pane writes to
        with such a limit, for lines of one of them would be lost.
      - By default it has no limit.
      - It holds for a log that begins to be written. One that is written already is left as it is.
    type: str
  recreate:
    description:
      - Whether sessions that exist are removed and created anew.
      - V(never) adds what is missing of O(windows), and leaves alone what is otherwise; RV(drift) tells of that.
      - V(on_drift) creates those anew in which a declared pane has ended or has another command. One that is attached,
        that its user keeps with C(@keep), that has a living pane that was not made from O(windows), or was begun anew
        by somebody, or in a shell of which something runs, stays nevertheless; a warning and RV(drift[].reason) say so.
        With O(keep_exited), a command that is done has ended as well, and is run again by that.
      - With V(on_drift), windows and panes that are not declared, and another order, layout, directory or variable, are
        no reason to create a session anew. Nor is a window a reason to leave one that O(prune_windows) would remove.
      - What outlives a session that V(on_drift) creates anew is treated as O(survivors) says; but as with
        O(prune_windows) it is only told of where somebody may have typed.
      - V(always) creates all anew, whatever runs in them. Such a task always changes something.
      - What can be known before is found while the old session is still there, values of O(options) too. What runs in
        the new one begins when the old one has gone, for it may not be able to run twice at a time; if it ends at
        once, neither of them is there.
    type: str
    choices: [never, on_drift, always]
    default: never
  prune_windows:
    description:
      - Whether windows of sessions that exist are removed that O(windows) does not declare. It needs at least one that
        is declared; those that are missing are added before.
      - One stays that a client of the session shows, whose session its user keeps with C(@keep), in which something
        runs, or which a session of the same group would lose, too; a warning and RV(drift[].reason) say so. So does one
        that was made as a window that is declared, where another one is taken for that.
      - Something runs in a window of this module's if somebody has begun it in a shell there; of any other window, if
        there is anything but one shell that waits at its prompt. A window is this module's as long as it is in the
        session for which it was made, and all that runs in it are the panes that it was made with. One that was moved
        there, or has a pane that somebody has brought there or begun anew (C(respawn-pane)), is not, nor is one that a
        version of this collection has made that did not yet note its panes.
      - A shell waits at its prompt if it sleeps, has its terminal to itself and as its input, edits a line there if it
        is one that does, and used no CPU time between the two looks. What cannot be told from that is a shell without
        a line editor (like C(dash)) that waits in a C(read) of a loop that was typed there, or any in C(read -e), and
        in a window of this module's with a command, a shell that was told to take its commands from a file.
      - A window that another session has too is only taken out of this one, whatever runs in it, and nothing ends.
      - Each window is looked at once more immediately before, and tmux itself compares it with that. One to which
        something has happened meanwhile lives, and the task fails and says so.
      - What outlives a window is treated as O(survivors) says; but of one with a shell in which somebody may have typed
        or with a pane whose program has ended, it is only told, for it may be work that was begun there and has left
        it. Each removal is told of in the system log of the host.
    type: bool
    default: false
  snapshot_dir:
    description:
      - Save each session before it is removed by O(state) or O(recreate), and before windows are removed from it by
        O(prune_windows), as it is then, as by O(fleet.tmux.tmux_session_prune#module:snapshot_dir). If it cannot be
        saved, it stays as it is, and the task fails. One whose user wants no snapshot (C(@no_snapshot)) is not saved.
      - V(default) is the directory that M(fleet.tmux.tmux_session_prune) calls so. All snapshots stay until that module
        removes them by O(fleet.tmux.tmux_session_prune#module:snapshot_keep).
    type: path
  snapshot:
    description:
      - Recreate the session as it was saved by O(fleet.tmux.tmux_session_prune#module:snapshot_dir), with its
        windows, panes, layout and working directories. Each pane shows the text that was saved, and then a shell of
        the user. The user can do so without Ansible, with C(sh SNAPSHOT/restore).
      - The path of a snapshot, as in RV(fleet.tmux.tmux_session_prune#module:removed[].snapshot). A session that exists
        is left as it is.
      - Its directory and files must belong to the user whose server it is, for that user may have written anything in
        there; see O(snapshot_owner) for all others. Nobody else may be able to write to them, or to exchange a
        directory on the way to them, and the user must be able to read them. No link of theirs is followed.
      - What it says is data. One with more than 500 panes, a window of more than 10000 columns or rows, a layout that
        is not exactly as tmux writes it, or a value of another kind or length than there can be is refused as a whole,
        before anything is done. Keys that are not known are ignored.
      - All of it is restored within O(timeout). What could not be is undone again, for which the server has that time
        anew. If it does not answer even then, the task fails with the id of what is still there.
      - It takes the place of O(command), O(argv), O(chdir), O(env), O(width), O(height) and O(window_name).
    type: path
  snapshot_owner:
    description:
      - Restore a O(snapshot) that belongs to this user (name or id) on the server of another one. By default it has to
        belong to the user whose server it is.
      - Whoever wrote the snapshot chooses what the panes of that other user show, and in which directories they begin.
        Control characters are made visible. The file with the text is opened by programs of the user whose server it
        is, so its owner can exchange it for a link to any file of that user, which is then shown to that user.
      - Never together with O(restore_commands), for those would run with the rights of that other user.
    type: str
  restore_commands:
    description:
      - Whether panes of a O(snapshot) run the commands again that they were started with, rather than a shell.
      - They are run as the user whose server it is, and were written by that user; on a server of root, by whoever
        could become root. RV(created[].commands) lists them, also in check mode. Look through them first.
    type: bool
    default: false
  survivors:
    description:
      - What happens to processes that outlive a removed session (by C(nohup), C(setsid), forking twice, or ignoring
        SIGHUP).
      - V(report) lists them. V(terminate) sends SIGTERM, waits for O(grace_period), and then sends SIGKILL, only to
        processes that are proven to belong to the session and to its owner, and are still the same at that moment.
      - See O(recreate) and O(prune_windows) for what is only listed all the same.
    type: str
    choices: [report, terminate]
    default: report
  grace_period:
    description:
      - With O(survivors=terminate), how long processes that outlive a removed session have between SIGTERM and SIGKILL,
        at most V(1h). A duration with units, like V(10s) or V(1m30s).
      - V(0s) sends SIGKILL at once.
    type: str
    default: 10s
  scope:
    description:
      - Where a server lives that has to be started, on a host with systemd. One that runs already is left where it is.
      - With V(none) it lives with the login that starts it. With C(KillUserProcesses=yes) or C(StopIdleSessionSec)
        of systemd's logind it ends with that login, also if its owner lingers. The module warns of that.
      - V(user) gives it a unit of the systemd manager of the user whose server it is, as C(systemd-run --user --scope)
        does. This needs no login of that user and no C(become) to that user, but lingering; see O(linger). It has
        E(XDG_RUNTIME_DIR) in its environment then.
      - V(system) gives it a unit of the manager of the system in the slice of that user (C(user-UID.slice)). It needs
        root. The server and all in it are still the user's.
      - Where something is missing (systemd, that manager, lingering, root), the task fails before anything was done.
    type: str
    choices: [none, user, system]
    default: none
  linger:
    description:
      - With O(scope=user), whether lingering of the user is enabled (C(loginctl enable-linger)) when a server has to be
        started and the user does not linger yet. The manager of a user who does not ends with the last logout.
      - Usually only root may do that. It is never disabled again.
    type: bool
    default: false
extends_documentation_fragment:
  - fleet.tmux.attributes
  - fleet.tmux.attributes.actiongroup
  - fleet.tmux.connection
seealso:
  - module: fleet.tmux.tmux_send_keys
  - module: fleet.tmux.tmux_session_info
  - module: fleet.tmux.tmux_session_prune
  - module: fleet.tmux.tmux_session_wait
"""

EXAMPLES = r"""
- name: A session to work in
  fleet.tmux.tmux_session:
    name: work

- name: A long job that somebody can attach to
  fleet.tmux.tmux_session:
    name: build
    command: make -j4 all 2>&1 | tee build.log; exec "$SHELL"
    chdir: ~/
    env:
      CCACHE_DIR: /var/tmp/ccache

- name: A program with arguments that no shell looks at
  fleet.tmux.tmux_session:
    name: watcher
    argv: [tail, -F, /var/log/some file.log]
    window_name: log
    width: 200
    height: 50

- name: A job whose exit status can be read when it has ended
  fleet.tmux.tmux_session:
    name: import
    command: echo begun; sleep 1; exit 3
    keep_exited: true
    log: ~/import.log

- name: A job that leaves nothing behind when something of this collection sees its end
  fleet.tmux.tmux_session:
    name: report
    command: echo half >~/.report.progress; sleep 1; echo done
    keep_exited: true
    log: ~/report.log
    cleanup:
      log: remove
      files: [~/.report.progress]

- name: A session that lives on after the logout of a user who lingers
  fleet.tmux.tmux_session:
    name: overnight
    scope: user
  when: ansible_facts.service_mgr | default('') == 'systemd'

- name: A session with a longer memory and a status line of its own
  fleet.tmux.tmux_session:
    name: work
    options:
      history-limit: 50000
      status-left: "[#S] "
      mouse: "on"
      "@made_by": ansible

- name: A session of which all that is printed is kept, each pane by itself, as long as it is there
  fleet.tmux.tmux_session:
    name: service
    windows:
      - name: server
        argv: [sh, -c, "while :; do date; sleep 1; done"]
        log: ~/server.log
      - name: clients
        panes:
          - argv: [sh, -c, "echo one; exec sleep 1d"]
            log: ~/one.log
          - argv: [sh, -c, "echo two; exec sleep 1d"]
            log: ~/two.log
    log_max_size: 10M
    cleanup:
      log: remove

- name: A session with windows and panes
  fleet.tmux.tmux_session:
    name: project
    chdir: ~/
    env:
      STAGE: test
    windows:
      - name: editor
        layout: main-vertical
        options:
          main-pane-width: 50
        panes:
          - command: vi || exec "$SHELL"
            focus: true
          - {}
      - name: log
        argv: [tail, -F, /var/log/some file.log]

- name: The same session without its log, which is saved before that goes
  fleet.tmux.tmux_session:
    name: project
    chdir: ~/
    env:
      STAGE: test
    windows:
      - name: editor
        layout: main-vertical
        options:
          main-pane-width: 50
        panes:
          - command: vi || exec "$SHELL"
            focus: true
          - {}
    prune_windows: true
    snapshot_dir: default

- name: Run this once, wait for it, and fail if it fails; run again, it returns what was recorded
  fleet.tmux.tmux_session:
    name: migration
    state: completed
    command: echo migrating; sleep 1; echo done
    log: ~/migration.log
    log_max_size: 10M
    wait_timeout: 2h
  async: 7300
  poll: 2
  register: migration

- name: Show what it has said at last, when it was run now
  ansible.builtin.debug:
    msg: "{{ migration.job.content or migration.job.log }}"

- name: Run this again, whatever was recorded, look at its exit status, and leave no files
  fleet.tmux.tmux_session:
    name: self-test
    state: completed
    command: echo half >~/.self-test.progress; exit 4
    rerun: true
    log: ~/self-test.log
    cleanup:
      log: remove
      files: [~/.self-test.progress]
    fail_on_status: false
  register: test
  failed_when: test.failed or test.job.exit_status not in [0, 4]

- name: These two are not needed any more
  fleet.tmux.tmux_session:
    name: [build, watcher, import, project, report, service]
    state: absent

- name: Nor is what they have printed
  ansible.builtin.file:
    path: "{{ item }}"
    state: absent
  loop: [~/import.log, ~/migration.log]

- name: Keep one session and remove all others
  fleet.tmux.tmux_session:
    name: work
    state: only
"""

RETURN = r"""
sessions:
  description:
    - All sessions of the server afterwards, in check mode as they would be, each as in
      RV(fleet.tmux.tmux_session_info#module:sessions) without its windows.
    - In check mode, what cannot be known of a session that would be created is null, like its C(id).
    - Null when the task failed and it is not known what the server holds.
  returned: always
  type: list
  elements: dict
  sample:
    - name: build
      id: $4
      identity: 4711/1798761600/$4/1798848000
      owner: alice
      socket: /tmp/tmux-1000/default
      created: 1798848000
      input: 1798848000
      last_attached: null
      output: 1798848000
      idle: 0
      attached: 0
      width: 80
      height: 24
      group: null
      options: {}
      more: {options: 0}
created:
  description: The sessions that were created, or in check mode would be. C(id) and C(identity) are then null.
  returned: always
  type: list
  elements: dict
  contains:
    <<: &who
      name:
        description: Its name.
        type: str
        returned: always
      id:
        description: Its id in its server.
        type: str
        returned: always
      identity:
        description: What tells it apart from every other session of its host.
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
    commands:
      description:
        - What its panes run again because of O(restore_commands), each with the index of its C(window), the place of
          its C(pane) in that, and the C(command) for a shell. With C(--diff) they are shown too. Empty without
          O(restore_commands).
      type: list
      elements: dict
      returned: when O(snapshot) is given
      sample:
        - {window: 0, pane: 1, command: make -j4}
updated:
  description: The sessions that were there and were changed to what they are declared to be, or in check mode would be.
  returned: always
  type: list
  elements: dict
  contains:
    <<: *who
    keep_exited:
      description: Whether its panes stay when their command ends, now. Null if that was not changed.
      type: bool
      returned: always
    changes:
      description:
        - What was changed, at most 100. C(what) is V(option), V(keep_exited), V(log), V(cleanup), V(name) of a window,
          or V(window) for one that was added or removed. C(window) is null for what is of the session.
        - What is C(declared) and was C(found) is written as NAME=VALUE for an option, and as the paths for O(cleanup).
          C(found) is null for what the session did not have, C(declared) for a window that was removed and for an
          O(cleanup) of nothing.
      type: list
      elements: dict
      returned: always
      sample:
        - {window: null, pane: null, what: option, declared: history-limit=50000, found: null}
    more:
      description: How many C(changes) there are besides those that are listed.
      type: dict
      returned: always
      sample: {changes: 0}
removed:
  description: The sessions that were removed, or in check mode would be. Only what the server itself has confirmed.
  returned: always
  type: list
  elements: dict
  contains:
    <<: *who
    survivors:
      description: Its processes that live on, as in RV(fleet.tmux.tmux_session_prune#module:removed[].survivors). Empty
        in check mode.
      type: list
      elements: dict
      returned: always
    snapshot:
      description: Where it was saved before, with O(snapshot_dir). Null in check mode, and if it was not.
      type: str
      returned: always
    removed_files:
      description: The files that were removed with it because of O(cleanup), or in check mode would be now, at most
        100. Of other users only with O(evidence_detail=full).
      type: list
      elements: str
      returned: always
    left_files:
      description: The C(path) of each of them that could not be removed, and the C(reason), told like those.
      type: list
      elements: dict
      returned: always
    more:
      description: How many C(survivors), C(removed_files) and C(left_files) there are besides those that are listed.
      type: dict
      returned: always
      sample: {survivors: 0, removed_files: 0, left_files: 0}
removed_windows:
  description:
    - The windows that O(prune_windows) removed from sessions that stay, or in check mode would. Only what the server
      itself has confirmed.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Its name. Of other users only with O(evidence_detail=full).
      type: str
      returned: always
    id:
      description: Its id in its server.
      type: str
      returned: always
    session:
      description: The name of the session that it was removed from.
      type: str
      returned: always
    owner:
      description: The user whose server it was in.
      type: str
      returned: always
    socket:
      description: The socket of the server.
      type: str
      returned: always
    linked:
      description: Whether another session has it still, so that nothing in it has ended.
      type: bool
      returned: always
    survivors:
      description: Its processes that live on, as in RV(removed[].survivors). Empty in check mode.
      type: list
      elements: dict
      returned: always
    snapshot:
      description: Where its session was saved before, with O(snapshot_dir). Null in check mode, and if it was not.
      type: str
      returned: always
    more:
      description: How many C(survivors) there are besides those that are listed.
      type: dict
      returned: always
      sample: {survivors: 0}
  sample:
    - name: old
      id: "@7"
      session: project
      owner: alice
      socket: /tmp/tmux-1000/default
      linked: false
      survivors: []
      snapshot: null
      more: {survivors: 0}
vanished:
  description: The sessions that were to be removed, and had ended by themselves before. Empty in check mode.
  returned: always
  type: list
  elements: dict
  contains: *who
drift:
  description:
    - In what the named sessions were found to be otherwise than O(windows) declares them, and what is left alone, at
      most 100 differences. With O(recreate=on_drift), their sessions may have been created anew.
    - It is compared what panes were begun with, so whatever is run in a shell is as declared. Blanks are no difference
      in a command. tmux before 3.2 does not tell the words of C(argv) from each other, and tmux 3.4 not what is quoted.
      Where the user's shell is declared, the session's C(default-command) and C(default-shell) are that.
    - With C(--diff) they are shown too, as before where a session is made anew, else as afterwards. Ansible itself
      prints a diff only of tasks that change something.
  returned: always
  type: list
  elements: dict
  contains:
    session:
      description: The name of the session.
      type: str
      returned: always
    window:
      description: The declared window, by its name, or by C(#) and its place for one without. Null for what is of the
        session.
      type: str
      returned: always
    pane:
      description: The place of the pane in its window, counted from 0. Null for what is of the window.
      type: int
      returned: always
    what:
      description: V(window) for one that is not declared, V(order) of the windows, V(panes) for their number,
        V(command), V(ended) for a pane that has ended and stays (see O(keep_exited)), V(layout) of panes, V(chdir)
        where a pane was begun, V(env) for a variable of the session or of a pane, and V(log) where the output goes to
        another C(pipe-pane), or where panes with logs have changed places.
      type: str
      returned: always
    declared:
      description: What is declared; a command for V(ended). Null for a window that is not, and for the user's shell.
        The name of a variable, never its value.
      type: str
      returned: always
    found:
      description: What was found; how it has ended, as far as tmux tells, for V(ended). Null for a variable, and for
        the user's shell. Of other users only with O(evidence_detail=full).
      type: str
      returned: always
    reason:
      description: Why its session was not created anew in spite of O(recreate=on_drift), V(attached), V(keep),
        V(undeclared) or V(in_use); of a window that is not declared, why it was left in spite of O(prune_windows),
        V(attached), V(keep), V(in_use), V(group), or V(twin) for another one of a declared window. Null if it was, or
        was not to be.
      type: str
      returned: always
  sample:
    - {session: project, window: log, pane: 0, what: command, declared: tail -F log, found: top, reason: null}
more:
  description: How many differences there are in C(drift) besides those that are listed.
  returned: always
  type: dict
  sample: {drift: 0}
not_done:
  description:
    - The sessions that should have been removed, created or updated, and were not; the task has failed then.
    - One that was to be created has no C(id).
  returned: always
  type: list
  elements: dict
  contains:
    <<: *who
    reason:
      description: V(error), or V(not_attempted) for what was not tried any more after an error.
      type: str
      returned: always
    detail:
      description: What went wrong with it.
      type: str
      returned: always
job:
  description:
    - With O(state=completed), what became of the job. In check mode, what cannot be known of one that would be run is
      null. Null for the other states, and when the task failed before anything was known.
  returned: always
  type: dict
  contains:
    action:
      description:
        - V(run) when it was run, V(waited) when it ran already, or had ended without being recorded, and V(returned)
          when nothing was done, for it is recorded. In check mode, which of these it would be.
        - Null when it is none of them.
      type: str
      returned: always
    from_record:
      description: Whether the rest is what was recorded.
      type: bool
      returned: always
    ended:
      description: Whether its command has ended.
      type: bool
      returned: always
    timed_out:
      description: Whether O(wait_timeout) was over before that.
      type: bool
      returned: always
    exit_status:
      description: Its exit status. Null while it runs, when it was ended by a signal, and where tmux does not know it;
        C(reason) says why then.
      type: int
      returned: always
    signal:
      description: The signal that has ended it. tmux before 3.3 does not know it. Null if none has.
      type: str
      returned: always
    started:
      description: When it was started, in seconds since 1970.
      type: int
      returned: always
    seconds:
      description: How long it ran. Null while it runs, and where nobody knows, because it ended while nobody waited and
        tmux before 3.3 does not tell when.
      type: int
      returned: always
    recorded:
      description: When it was recorded that it has ended, in seconds since 1970. Null if that was not done.
      type: int
      returned: always
    content:
      description:
        - What its pane shows at its end, as far as O(content_lines) says. It is not recorded, so null with
          C(from_record); use O(log) for what has to be kept. Also null of another user's session unless
          O(evidence_detail=full).
        - The last that a command prints can be missing when it ends right after it, see O(log).
      type: str
      returned: always
    log:
      description: The path of O(log). Its owner can exchange the file for a link. So read it with the rights of its
        owner, and never as root.
      type: str
      returned: always
    removed_files:
      description: The files that were removed because of O(cleanup), at most 100. Those that were only noted at the
        session are told of another user with O(evidence_detail=full) only.
      type: list
      elements: str
      returned: always
    left_files:
      description: The C(path) of each of them that could not be removed, and the C(reason), told like those.
      type: list
      elements: dict
      returned: always
    reason:
      description: Why something of this is not known. Empty else.
      type: str
      returned: always
  sample:
    action: run
    from_record: false
    ended: true
    timed_out: false
    exit_status: 0
    signal: null
    started: 1798848000
    seconds: 95
    recorded: 1798848095
    content: "migrating\ndone"
    log: /home/alice/migration.log
    removed_files: []
    left_files: []
    reason: ""
unit:
  description: The systemd unit that the server lives in, as in RV(fleet.tmux.tmux_session_info#module:servers). Null
    in check mode of one that would be started.
  returned: always
  type: str
  sample: user@1000.service
user_unit:
  description: The unit of the user's own systemd manager that the server lives in, if it is in one.
  returned: always
  type: str
  sample: tmux-1000-0e1fc42a.scope
survives_logout:
  description: Whether the server outlives the logout of whoever started it, as in
    RV(fleet.tmux.tmux_session_info#module:servers). Null if that is not known.
  returned: always
  type: bool
unlisted:
  description:
    - How many sessions are not in the lists above, because there are too many, by list. At most 4 MiB of sessions are
      returned, those that were created before all others.
  returned: always
  type: list
  elements: dict
  sample:
    - owner: alice
      created: 0
      removed: 0
      updated: 0
      removed_windows: 0
      not_done: 0
      vanished: 0
      sessions: 7000
"""

from typing import Any, Dict, Optional, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._actions.birth import Birth
from ansible_collections.fleet.tmux.plugins.module_utils._actions.journal import Journal
from ansible_collections.fleet.tmux.plugins.module_utils._actions.snapshot import Archive, Retention
from ansible_collections.fleet.tmux.plugins.module_utils._actions.survivors import Ending
from ansible_collections.fleet.tmux.plugins.module_utils._host.privacy import FULL
from ansible_collections.fleet.tmux.plugins.module_utils._host.record import Record
from ansible_collections.fleet.tmux.plugins.module_utils._modules.home import NOWHERE
from ansible_collections.fleet.tmux.plugins.module_utils._modules.job import Completion, task_of
from ansible_collections.fleet.tmux.plugins.module_utils._modules.options import (
    place_of,
    server_options,
    set_up,
    the_path,
)
from ansible_collections.fleet.tmux.plugins.module_utils._modules.results import apart, finish, warn_each
from ansible_collections.fleet.tmux.plugins.module_utils._modules.secret import Module
from ansible_collections.fleet.tmux.plugins.module_utils._modules.session import (
    NOTHING,
    carry_out,
    diff,
    failure,
    result,
    session_options,
)
from ansible_collections.fleet.tmux.plugins.module_utils._modules.session_hands import (
    PromisingHands,
    WorkingHands,
    drift,
    planned,
)
from ansible_collections.fleet.tmux.plugins.module_utils._modules.single import look_at
from ansible_collections.fleet.tmux.plugins.module_utils._policy.values import SESSION, checked
from ansible_collections.fleet.tmux.plugins.module_utils._specs.tmux_session import ARGUMENT_SPEC

_CALLS = 25
"""More calls of tmux than are made for a session, and than are made besides."""
_OWN_SECONDS = 60.0
"""What we do ourselves, however busy the host is."""

_NOTHING = dict(NOTHING, job=None, **NOWHERE)
"""The result before anything was looked at."""

NO_LOG = {"env": True, "windows.env": True, "windows.panes.env": True}
"""What documentation cannot say of an option: from here it comes into the argument spec, which is written from both."""


def bring_about(module: Module) -> Tuple[Dict[str, Any], Optional[Exception]]:
    """Look, plan, act, look again: the result, and what went wrong."""
    values = checked(module.params, SESSION)
    options, wanted = server_options(values), session_options(values)
    host = set_up(module, options)
    ending = Ending(values["survivors"] == "terminate", values["grace_period"])
    place = values["snapshot_dir"]
    archive = None if place is None else Archive(place_of(place, "snapshots", host), False, Retention())
    journal = Journal(Record(), "state=%s recreate=%s" % (values["state"], values["recreate"]))

    def complete() -> Tuple[Dict[str, Any], Optional[Exception]]:
        birth = Birth(values["scope"], values["linger"], host.uid == 0, host.timeout)
        job = Completion(host, the_path(options, host), task_of(values, wanted), ending, journal, birth)
        told, error = job.run(module.check_mode, module._diff)
        return dict(told, changed=told["changed"] or birth.lingers_now), error

    def work() -> Tuple[Dict[str, Any], Optional[Exception]]:
        seen = look_at(host, the_path(options, host))
        made, compared = planned(values["state"], values["name"], values["recreate"], wanted, seen)
        birth = Birth(values["scope"], values["linger"], host.uid == 0, host.timeout)
        promising = PromisingHands(host, seen, wanted, compared, birth, archive)
        working = WorkingHands(host, seen, wanted, ending, journal, compared, birth, archive)
        hands = promising if module.check_mode else working
        outcomes = carry_out(made, hands)
        drifting = drift(compared)
        told = dict(result(outcomes, seen, drifting), job=None, **hands.lives())
        told["trouble"] = journal.trouble + hands.warnings()
        told["changed"] = told["changed"] or birth.lingers_now
        if module._diff:
            told["diff"] = diff(made, outcomes, drifting, wanted.windows)
        return told, failure(made, outcomes)

    seconds = _CALLS * host.timeout * (1 + len(values["name"])) + ending.seconds + _OWN_SECONDS
    is_job = values["state"] == "completed"
    seconds += values["wait_timeout"] if is_job else 0
    told, error = apart(complete if is_job else work, _NOTHING, seconds, options.evidence_detail == FULL)
    warn_each(module, told.pop("trouble", ()))
    return told, error


def main() -> None:
    """Entry point."""
    module = Module(ARGUMENT_SPEC)
    finish(module, lambda: bring_about(module), _NOTHING)


if __name__ == "__main__":
    main()
