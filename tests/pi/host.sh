#!/bin/bash
# What the tests need of this machine (Debian or Ubuntu, root): host.sh PACKAGE... installs those that are missing.
set -euo pipefail
dpkg -s "$@" > /dev/null 2>&1 && exit 0
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get install -y -qq --no-install-recommends "$@"
