#!/bin/bash
# Boot the guest of root.sh: boot.sh WORK SHARED SECONDS. SHARED/guest.sh runs inside as root, its output in SHARED/guest.log.
# Software emulation; `-cpu max` has AVX2, without which the models answer a little differently.
set -euo pipefail
exec timeout "$3" nice -n 2 qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m 2048 -nographic -no-reboot \
  -kernel "$1/kernel" -initrd "$1/initrd" -append "root=/dev/vda rw init=/usr/sbin/edge-init console=ttyS0 quiet panic=-1" \
  -drive "file=$1/root.img,format=raw,if=virtio,snapshot=on" \
  -virtfs "local,path=$2,mount_tag=host,security_model=none" \
  -object rng-random,id=rng0,filename=/dev/urandom -device virtio-rng-pci,rng=rng0 -nic none
