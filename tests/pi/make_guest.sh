#!/bin/bash
# The guest of these tests: make_guest.sh WORK. Debian trixie and its kernel, with cameras (vivid, v4l2loopback, libcamera's
# virtual one, picamera2 as its makers publish it), a GPIO chip (gpio-sim), and what the product needs, not the product.
# Debian or Ubuntu on x86-64, root, a Debian mirror and PyPI; 5 GB; done parts are not done again. Leaves WORK/guest.img,
# WORK/kernel, WORK/initrd.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mkdir -p "$1" && cd "$1" && pwd) root=$work/root
"$here/host.sh" mmdebstrap debian-archive-keyring qemu-system-x86 qemu-system-data seabios ipxe-qemu e2fsprogs
[ -e "$work/guest.img" ] && exit 0
mirror=$(apt-get indextargets --format '$(SITE)' | grep -m1 'debian/\?$' || echo http://deb.debian.org/debian)
in_root() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 "$@"; }

if [ ! -e "$root/.made" ]; then
  rm -rf "$root"
  mmdebstrap --quiet --variant=minbase --include="systemd,systemd-sysv,systemd-timesyncd,udev,kmod,dbus,procps,e2fsprogs,\
ca-certificates,linux-image-amd64,linux-headers-amd64,v4l2loopback-dkms,v4l-utils,python3,python3-venv,python3-pip,\
python3-dev,gcc,make,xz-utils,libc6-dev,libcap-dev,python3-libcamera,libcamera-tools,libcamera-ipa" trixie "$root" "$mirror"
  touch "$root/.made"
fi
# this machine's certificates, resolver and index serve pip and apt in there
cp -L /etc/resolv.conf "$root/etc/resolv.conf"; cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
[ ! -e /etc/pip.conf ] || cp /etc/pip.conf "$root/etc/pip.conf"

if [ ! -e "$root/.pip" ]; then
  python3 - "$here/../../pyproject.toml" > "$root/needs.txt" <<'P'
import sys, tomllib
print("\n".join(tomllib.load(open(sys.argv[1], "rb"))["project"]["dependencies"]))
P
  # the folder that deploy/install uses; with apt's libcamera in it, as on a Pi
  in_root sh -ec 'python3 -m venv --system-site-packages /opt/edge/.venv; cd /opt/edge/.venv
    bin/pip install -q "setuptools<81" wheel -r /needs.txt
    bin/pip install -q --no-build-isolation picamera2==0.3.38'
  # picamera2 imports a display library that Debian does not have, for a preview that nobody opens
  printf 'class _Any(type):\n    def __getattr__(cls, name):\n        return name\n\n\nclass PixelFormats(metaclass=_Any):\n    pass\n' \
    > "$(echo "$root"/opt/edge/.venv/lib/python3.*/site-packages)/kms.py"
  touch "$root/.pip"
fi

# gpio-sim is not in Debian's kernel: two files of its source, one line changed (irq_to_desc is not exported)
kernel=$(ls "$root/lib/modules")
if [ ! -e "$root/lib/modules/$kernel/updates/gpio-sim.ko" ]; then
  in_root kernel="$kernel" sh -ec 'apt-get -qq update; cd /usr/src; apt-get -qq download linux-source-6.12
    dpkg-deb --fsys-tarfile linux-source-6.12_*.deb | tar x -O ./usr/src/linux-source-6.12.tar.xz |
      tar xJ --strip-components=3 --one-top-level=gs --wildcards "*/drivers/gpio/gpio-sim.c" "*/kernel/irq/irq_sim.c" || true
    rm linux-source-6.12_*.deb; cd gs
    sed -i "s/handle_simple_irq(irq_to_desc(irqnum));/generic_handle_irq(irqnum);/" irq_sim.c
    printf "obj-m := gpiosim.o\ngpiosim-y := gpio-sim.o irq_sim.o\nccflags-y += -DCONFIG_IRQ_SIM=1\n" > Kbuild
    make -s -C "/lib/modules/$kernel/build" M=$PWD modules; mkdir -p "/lib/modules/$kernel/updates"
    cp gpiosim.ko "/lib/modules/$kernel/updates/gpio-sim.ko"; depmod "$kernel"'
fi

cat > "$root/etc/systemd/system/host-script.service" <<'U'
[Unit]
Description=Run the host's script and switch off
[Service]
Type=oneshot
TimeoutStartSec=infinity
ExecStart=/bin/bash -c 'modprobe 9pnet_virtio; mkdir -p /host; mount -t 9p -o trans=virtio,version=9p2000.L,msize=1048576 host /host && bash /host/guest.sh > /host/guest.log 2>&1; systemctl poweroff'
[Install]
WantedBy=multi-user.target
U
ln -sf ../host-script.service "$root/etc/systemd/system/multi-user.target.wants/host-script.service"
cp "$root"/boot/vmlinuz-* "$work/kernel"; cp "$root"/boot/initrd.img-* "$work/initrd"
# the guest compiles nothing: what that needed stays out of the image
rm -rf "$root"/usr/src/* "$root"/usr/lib/gcc/*/*/cc1* "$root"/var/cache/apt "$root"/var/lib/apt/lists "$root"/root/.cache
mke2fs -q -F -t ext4 -O ^has_journal -d "$root" "$work/guest.part" 4G
mv "$work/guest.part" "$work/guest.img"
rm -rf "$root"
