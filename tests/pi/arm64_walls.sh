#!/bin/bash
# The walls of a session's process on an arm64 kernel: arm64_walls.sh WORK CHECKOUT. Debian or Ubuntu on x86-64, root, a
# mirror and PyPI; 5 minutes and 1 GB the first time. Boots Debian's own arm64 kernel in qemu-system-aarch64 with an
# initramfs of Python, which tries every way out of tests/session/ways_out.py and prints how each one ended, what a real
# cell with the shipped embedder answers, and the product's own self-test, as JSON.
set -euo pipefail
work=$(mkdir -p "$1" && cd "$1" && pwd) checkout=$(cd "$2" && pwd)
"$checkout/tests/pi/host.sh" mmdebstrap debian-archive-keyring qemu-system-arm cpio
mirror=$(apt-get indextargets --format '$(SITE)' | grep -m1 'debian/\?$' || echo http://deb.debian.org/debian)
cd "$work"
if [ ! -d walls-root/site/cv2 ]; then
  rm -rf walls-root walls-root.part
  mmdebstrap --quiet --mode=root --variant=extract --architectures=arm64 \
    --include=python3,libc6,libgcc-s1,libstdc++6,tzdata,linux-image-arm64 trixie walls-root.part "$mirror"
  for d in bin sbin lib; do [ -e "walls-root.part/$d" ] || ln -s "usr/$d" "walls-root.part/$d"; done
  mv walls-root.part/boot/vmlinuz-* walls-kernel
  rm -rf walls-root.part/{boot,usr/lib/modules,usr/share/doc,usr/share/locale,var/cache,var/lib}
  tags="--only-binary=:all: --python-version 3.13"
  for glibc in 2_28 2_27 2_17; do tags="$tags --platform manylinux_${glibc}_aarch64"; done
  python3 - "$checkout/pyproject.toml" > walls-needs.txt <<'P'
import sys, tomllib
print("\n".join(tomllib.load(open(sys.argv[1], "rb"))["project"]["dependencies"]))
P
  python3 -m pip install -q --no-compile --ignore-requires-python $tags --platform manylinux2014_aarch64 \
    --target walls-root.part/site -r walls-needs.txt
  mv walls-root.part walls-root
fi
rm -rf walls-root/product && mkdir -p walls-root/product/tests/session walls-root/{proc,sys,tmp,dev}
cp -r "$checkout/edge" walls-root/product/
mkdir walls-root/product/models && cp "$checkout"/models/*.{tflite,yaml} walls-root/product/models/
cp -r "$checkout/config" walls-root/product/
cp "$checkout/pyproject.toml" walls-root/product/  # a source tree, as `edge._resources` knows one
cp "$checkout/tests/session/ways_out.py" walls-root/product/tests/session/
cat > walls-root/init <<'I'
#!/usr/bin/python3
import ctypes, os, sys, traceback
libc = ctypes.CDLL(None, use_errno=True)
libc.mount(b"proc", b"/proc", b"proc", 0, None)
libc.mount(b"sys", b"/sys", b"sysfs", 0, None)  # XNNPACK asks there for the processor, and does nothing without
libc.mount(b"dev", b"/dev", b"devtmpfs", 0, None)
sys.path[:0] = ["/product", "/site"]
os.environ["TMPDIR"] = "/tmp"
try:
    from tests.session import ways_out
    print("WALLS", os.uname().machine, os.uname().release, flush=True)
    ways_out.main()
    print(flush=True)
    # an isolated Python looks beside its own packages; here they lie in one place
    open("/usr/lib/python3/dist-packages/walls.pth", "w").write("/site\n")
    import json, numpy as np
    from edge.face import load_card
    from edge.session.cells import Cells
    pixels = np.arange(112 * 112 * 3, dtype=np.uint32).astype(np.uint8).reshape(112, 112, 3)
    with Cells([load_card("embedder")]) as cells, cells._begin("arm64") as cell:
        walls = cell.walls
        print(json.dumps({"cell": [cell.keep(pixels, alike=0.5), cell.keep(pixels, alike=0.5), cell.settle(0.5)],
                          "seccomp": walls.seccomp, "landlock": walls.landlock}), flush=True)
    import subprocess
    os.makedirs("/tmp/desk")
    with open("/tmp/desk/device.yaml", "w") as settings:
        settings.write("device: {name: arm64, state_dir: state, trust_dir: trust}\n"
                       "camera: {driver: fictional, pace: fast}\nalternative: Ring the bell.\n")
    for words in (["keys", "init", "--development"], ["selftest", "--json"]):
        command = ["/usr/bin/python3", "-m", "edge", *words, "--config", "device.yaml"]
        environ = {"PYTHONPATH": "/product", "PATH": "/usr/bin", "HOME": "/tmp", "LANG": "C.UTF-8"}
        done = subprocess.run(command, cwd="/tmp/desk", env=environ, capture_output=True, text=True)
        print(done.stderr[-2000:], flush=True)
    print(json.dumps({"selftest": json.loads(done.stdout)}), flush=True)
except BaseException:
    traceback.print_exc()
print("\nEND", flush=True)
libc.reboot(0x4321FEDC)
I
chmod +x walls-root/init
(cd walls-root && find . -xdev | cpio --quiet -o -H newc | gzip -1) > walls-initramfs
timeout "${EDGE_WALLS_S:-900}" qemu-system-aarch64 -M virt -cpu cortex-a72 -smp 2 -m 3072 -nographic -no-reboot \
  -kernel walls-kernel -initrd walls-initramfs -append "console=ttyAMA0 rdinit=/init panic=-1 quiet" < /dev/null
