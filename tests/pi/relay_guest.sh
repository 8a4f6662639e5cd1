# What the guest of tests/pi/test_relay.py runs, as root; /host is the test's folder.
set -u
sim=/sys/kernel/config/gpio-sim/pi
modprobe gpio-sim; mkdir -p $sim/bank0; echo 54 > $sim/bank0/num_lines; echo 1 > $sim/live
line=$(dirname /sys/devices/platform/gpio-sim.*/gpiochip*/sim_gpio17/value)

mkdir -p /opt/edge/lib; cp -r /host/src/edge /opt/edge/lib; cp /host/unit_guest.py /opt/edge
python=/opt/edge/.venv/bin/python; echo /opt/edge/lib > "$(echo /opt/edge/.venv/lib/python3.*/site-packages)/edge.pth"

# 1. the door alone, both polarities, in a working directory that nobody may write
cd /
for level in high low; do
  timeout 600 $python /host/relay_guest.py "$line" --$level > /host/$level.json 2> /host/$level.err
done
PYTHONPATH=/host/src timeout 900 $python -B /host/inputs_guest.py "$line" --high > /host/inputs.json 2> /host/inputs.err

# 2. under the shipped unit, as its user, with the shipped rules; only what it starts is replaced
install -D /host/src/deploy/edge.sysusers /etc/sysusers.d/edge.conf; systemd-sysusers
install -D /host/src/deploy/edge.tmpfiles /etc/tmpfiles.d/edge.conf; systemd-tmpfiles --create edge.conf
install -D /host/src/deploy/edge.udev /etc/udev/rules.d/60-edge.rules
udevadm control --reload; udevadm trigger --settle --action=add --subsystem-match=gpio
stat -c '%G %a' /dev/gpiochip0 > /host/chip.txt
units=/etc/systemd/system; mkdir -p $units/edge-verifier.service.d
cp /host/src/deploy/edge-verifier.service $units
cp /host/src/deploy/edge-relay.conf $units/edge-verifier.service.d/relay.conf
printf '[Service]\nExecStart=\nExecStart=/opt/edge/.venv/bin/python -I /opt/edge/unit_guest.py\n' > $units/edge-verifier.service.d/test.conf
systemctl daemon-reload

guards() { grep -l 'edge/door/guard[.]py' /proc/[0-9]*/cmdline 2> /dev/null | wc -l; }
now() { echo "$1 value=$(cat "$line/value") state=$(systemctl is-active edge-verifier) guards=$(guards)"; }
# the request asked for a pull towards locked; a board that pulls harder is the worst
falls() { echo pull-down > "$line/pull"; }
{
  systemctl start edge-verifier; falls; now started
  systemctl kill --kill-whom=main -s KILL edge-verifier; sleep 0.7; now killed
  # emulated and busy, a start takes up to a minute
  again() { for _ in $(seq 120); do [ "$(systemctl is-active edge-verifier)" = active ] && break; sleep 1; done; sleep 1; now "$1"; }
  sleep 1; again restarted
  falls; systemctl kill --kill-whom=all -s KILL edge-verifier
  for _ in $(seq 100); do [ "$(cat "$line/value")" = 1 ] && break; sleep 0.1; done; now both-killed
  again started-again
  falls; systemctl stop edge-verifier; now stopped; sleep 3; now held
  systemctl show edge-verifier -p Result -p NRestarts
} > /host/unit.txt 2>&1
journalctl -u edge-verifier --no-pager -o short-monotonic > /host/journal.txt
systemd-analyze security edge-verifier --no-pager | tail -1 > /host/security.txt
