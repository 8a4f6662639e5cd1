#!/bin/bash
# arm64 without a Pi: arm64.sh WORK CHECKOUT bookworm|trixie. Debian or Ubuntu on x86-64, root, a mirror and PyPI; 3 minutes
# and 1 GB the first time. Leaves WORK/arm64-SUITE.sh, which runs that release's Python with the product's packages.
set -euo pipefail
work=$(mkdir -p "$1" && cd "$1" && pwd) checkout=$2 suite=$3
case $suite in bookworm) py=3.11 ;; trixie) py=3.13 ;; esac
[ -e "$work/arm64-$suite.sh" ] && exit 0
"$checkout/tests/pi/host.sh" mmdebstrap debian-archive-keyring
mirror=$(apt-get indextargets --format '$(SITE)' | grep -m1 'debian/\?$' || echo http://deb.debian.org/debian)
cd "$work"
# trixie's qemu-user (7.2 of bookworm crashes in XNNPACK), unpacked only; so is the arm64 root: nothing is ever run in it
[ -x qemu/usr/bin/qemu-aarch64 ] || mmdebstrap --quiet --variant=extract --include=qemu-user trixie qemu "$mirror"
rm -rf "arm64-$suite" "site-$suite" "wheels-$suite"
mmdebstrap --quiet --mode=root --variant=extract --architectures=arm64 \
  --include=python3,libstdc++6,libgcc-s1,ca-certificates,tzdata "$suite" "arm64-$suite" "$mirror"
for d in bin sbin lib; do [ -e "arm64-$suite/$d" ] || ln -s "usr/$d" "arm64-$suite/$d"; done
tags="--only-binary=:all: --python-version $py"
for glibc in 2_28 2_27 2_17; do tags="$tags --platform manylinux_${glibc}_aarch64"; done
# pip compares Requires-Python with its own version, whatever --python-version says
python3 - "$checkout/pyproject.toml" > needs.txt <<'P'
import sys, tomllib
print("\n".join([*tomllib.load(open(sys.argv[1], "rb"))["project"]["dependencies"], "pytest"]))
P
python3 -m pip download -q $tags --platform manylinux2014_aarch64 -d "wheels-$suite" -r needs.txt
python3 -m pip install -q --no-deps --no-compile --ignore-requires-python $tags --platform manylinux2014_aarch64 \
  --target "site-$suite" "wheels-$suite"/*.whl
cat > "arm64-$suite.part" <<R
#!/bin/bash
exec "$work/qemu/usr/bin/qemu-aarch64" -cpu "\${EDGE_QEMU_CPU:-cortex-a72}" -L "$work/arm64-$suite" \\
  -E PYTHONPATH="\$EDGE_SOURCE:$work/site-$suite" -E LD_LIBRARY_PATH= "$work/arm64-$suite/usr/bin/python$py" "\$@"
R
chmod +x "arm64-$suite.part"; mv "arm64-$suite.part" "arm64-$suite.sh"
