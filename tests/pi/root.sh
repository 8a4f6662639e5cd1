#!/bin/bash
# A Debian trixie guest with libcamera, picamera2, vivid and v4l2loopback: root.sh WORK      (about 8 minutes, 4 GB)
# Debian or Ubuntu x86-64, as root; leaves WORK/root.img, WORK/kernel, WORK/initrd. Done parts are not done again.
set -euo pipefail
work=$(mkdir -p "$1" && cd "$1" && pwd) root=$work/root
host="mmdebstrap debian-archive-keyring qemu-system-x86 qemu-system-data seabios ipxe-qemu e2fsprogs"
dpkg -s $host > /dev/null 2>&1 || DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $host
in_root() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 "$@"; }

if [ ! -e "$root/.made" ]; then
  rm -rf "$root"
  mirror=$(apt-get indextargets --format '$(SITE)' | grep -m1 debian$)  # the one that this machine uses
  mmdebstrap --variant=minbase --include="systemd,systemd-sysv,udev,kmod,dbus,procps,e2fsprogs,ca-certificates,linux-image-amd64,linux-headers-amd64,v4l2loopback-dkms,v4l-utils,python3,python3-venv,python3-pip,python3-dev,gcc,libc6-dev,libcap-dev,python3-libcamera,libcamera-tools,libcamera-ipa" trixie "$root" "$mirror"
  touch "$root/.made"
fi

# What the product needs, and picamera2 as its makers publish it. The host's certificates and resolver serve pip.
if [ ! -e "$root/.pip" ]; then
  cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"; cp -L /etc/resolv.conf "$root/etc/resolv.conf"
  [ ! -e /etc/pip.conf ] || cp /etc/pip.conf "$root/etc/pip.conf"
  in_root sh -ec 'python3 -m venv --system-site-packages /opt/edge; cd /opt/edge
    bin/pip install -q "setuptools<81" wheel numpy opencv-python-headless PyYAML pydantic cryptography ai-edge-litert \
      securesystemslib zxing-cpp segno click rich jinja2
    bin/pip install -q --no-build-isolation picamera2==0.3.38'
  # picamera2 imports a display library that Debian does not have, for a preview that nobody opens.
  printf 'class _Any(type):\n    def __getattr__(cls, name):\n        return name\n\n\nclass PixelFormats(metaclass=_Any):\n    pass\n' \
    > "$(echo "$root"/opt/edge/lib/python3.*/site-packages)/kms.py"
  touch "$root/.pip"
fi

# The first process is this script: no service to wait for on a machine that is emulated slowly.
cat > "$root/usr/sbin/edge-init" <<'I'
#!/bin/bash
export PATH=/usr/sbin:/usr/bin LC_ALL=C.UTF-8
mountpoint -q /proc || mount -t proc proc /proc; mountpoint -q /sys || mount -t sysfs sysfs /sys
mountpoint -q /run || mount -t tmpfs tmpfs /run; mount -t tmpfs tmpfs /tmp
/usr/lib/systemd/systemd-udevd --daemon; udevadm trigger; udevadm settle
modprobe 9pnet_virtio; mkdir -p /host; mount -t 9p -o trans=virtio,version=9p2000.L,msize=1048576 host /host
bash /host/guest.sh > /host/guest.log 2>&1
sync; echo o > /proc/sysrq-trigger; sleep 60
I
chmod 755 "$root/usr/sbin/edge-init"
cp "$root"/boot/vmlinuz-* "$work/kernel"; cp "$root"/boot/initrd.img-* "$work/initrd"
rm -f "$work/root.img.part"; mke2fs -q -F -t ext4 -O ^has_journal -d "$root" "$work/root.img.part" 4G
mv "$work/root.img.part" "$work/root.img"
