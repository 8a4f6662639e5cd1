#!/bin/bash
# A Debian trixie guest with a GPIO chip of the kernel's own (gpio-sim): make_guest.sh WORK
# Debian or Ubuntu on x86-64, root, no KVM; 4 to 8 minutes on two busy cores, 4 GB of disk. Done once: a second call ends
# at once. Needs a Debian mirror; installs what is missing of its tools. Leaves WORK/guest.img, WORK/kernel, WORK/initrd.
set -euo pipefail
work=$(mkdir -p "$1" && cd "$1" && pwd) root=$work/root
host="mmdebstrap debian-archive-keyring qemu-system-x86 qemu-system-data seabios ipxe-qemu e2fsprogs"
dpkg -s $host > /dev/null 2>&1 || DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $host
[ -e "$work/guest.img" ] && exit 0
mirror=$(apt-get indextargets --format '$(SITE)' | grep -m1 'debian/\?$' || echo http://deb.debian.org/debian)
in_root() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 "$@"; }

if [ ! -e "$root/.made" ]; then
  rm -rf "$root"
  mmdebstrap --quiet --variant=minbase --include="systemd,systemd-sysv,udev,kmod,linux-image-amd64,linux-headers-amd64,\
gcc,make,xz-utils,\
python3,python3-numpy" trixie "$root" "$mirror"
  touch "$root/.made"
fi
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
kernel=$(ls "$root/lib/modules")

# gpio-sim is not in Debian's kernel: two files of its source, one line changed (irq_to_desc is not exported).
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
# the guest compiles nothing: what the module's build needed stays out of the image
rm -rf "$root"/usr/src/* "$root"/usr/lib/gcc "$root"/var/cache/apt "$root"/var/lib/apt/lists
mke2fs -q -F -t ext4 -O ^has_journal -d "$root" "$work/guest.part" 3G
mv "$work/guest.part" "$work/guest.img"
rm -rf "$root"
