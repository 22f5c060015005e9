#!/bin/sh
# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Furnishes the root file system of a host of the test fleet: image.sh ROOT KEYS OPERATOR_PASSWORD ROOT_PASSWORD
set -eu

root=$1 keys=$2 operator_password=$3 root_password=$4

# --- people

uid=2000
for user in admin operator alice bob carol; do
  uid=$((uid + 1))
  # Debian has a group called operator.
  chroot "$root" getent group "$user" >/dev/null || chroot "$root" groupadd --gid "$uid" "$user"
  chroot "$root" useradd --uid "$uid" --gid "$user" --create-home --shell /bin/bash "$user"
done
printf '%s:%s\n' root "$root_password" operator "$operator_password" | chroot "$root" chpasswd

# Without the time-out of 0, a password once given would also be good for the next run.
cat >"$root/etc/sudoers.d/fleet" <<'EOF'
Defaults timestamp_timeout=0
admin ALL=(ALL:ALL) NOPASSWD: ALL
operator ALL=(ALL:ALL) ALL
EOF
chmod 0440 "$root/etc/sudoers.d/fleet"

# --- sshd

rm -f "$root"/etc/ssh/ssh_host_*
install -m 0600 "$keys/host_ed25519" "$root/etc/ssh/ssh_host_ed25519_key"
install -m 0644 "$keys/host_ed25519.pub" "$root/etc/ssh/ssh_host_ed25519_key.pub"
install -D -m 0644 "$keys/id_ed25519.pub" "$root/etc/ssh/fleet_keys"
# Many connections at once, and broken ones, are what is tested here: nothing may slow them down or punish them.
cat >"$root/etc/ssh/sshd_config" <<'EOF'
HostKey /etc/ssh/ssh_host_ed25519_key
AuthorizedKeysFile /etc/ssh/fleet_keys
PermitRootLogin no
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM yes
UseDNS no
PrintMotd no
MaxStartups 1000
MaxSessions 1000
Subsystem sftp internal-sftp
EOF
mkdir -p "$root/run/sshd"
if chroot "$root" /usr/sbin/sshd -T | grep -qi '^persourcepenalties'; then
  echo 'PerSourcePenalties no' >>"$root/etc/ssh/sshd_config"
fi
chroot "$root" /usr/sbin/sshd -t

# --- what the tests look at and change

mkdir -p "$root/opt/fleet"
: >"$root/opt/fleet/python-starts"
chmod 0666 "$root/opt/fleet/python-starts"
# exec keeps it one process, so that signals and exit statuses are Python's own.
cat >"$root/opt/fleet/python" <<'EOF'
#!/bin/sh
echo "$$" 2>/dev/null >>/opt/fleet/python-starts
exec /usr/bin/python3 "$@"
EOF
# What a boot does: a host that was killed keeps its disks, not its /tmp.
cat >"$root/opt/fleet/boot" <<'EOF'
#!/bin/sh
find /tmp /run/sudo -mindepth 1 -delete 2>/dev/null
mkdir -p /run/sshd
printf '127.0.0.1 localhost\n127.0.1.1 %s\n' "$(cat /proc/sys/kernel/hostname)" >/etc/hosts
exec /usr/sbin/sshd -D -e
EOF
chmod 0755 "$root/opt/fleet/python" "$root/opt/fleet/boot"

# mmdebstrap copies these from the machine that builds.
: >"$root/etc/resolv.conf"
echo localhost >"$root/etc/hostname"
