#!/bin/bash
# with-setup.sh SCRIPT [ARG...]: installs the Debian packages and npm dependencies that are missing, then runs a
# script of this project on the Node that package.json names. All that a fresh Debian machine needs is Node and npm.
set -euo pipefail
cd "$(dirname "$0")/.."

# What ocits runs on; what a demo needs besides; what only tests need: docs/dependencies.md says what each is for.
PACKAGES=(crun conmon netavark iptables iproute2 attr isal socat catatonit procps perl-base
  ca-certificates busybox-static docker-registry mmdebstrap curl
  skopeo umoci podman openssl xz-utils bzip2 zstd zsh fish gcc libc6-dev
  golang-github-opencontainers-specs-dev golang-github-opencontainers-image-spec-dev ${EXTRA_PACKAGES:-})

sudo=
[ "$(id -u)" = 0 ] || sudo=sudo

missing=()
for package in "${PACKAGES[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
if [ "${#missing[@]}" -gt 0 ]; then
  echo "Installing Debian packages: ${missing[*]}" >&2
  export DEBIAN_FRONTEND=noninteractive
  $sudo apt-get -qq -o DPkg::Lock::Timeout=300 update >&2
  $sudo apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "${missing[@]}" >/dev/null
fi

wanted=$(sed -n 's/.*"node": "\([0-9.]*\)".*/\1/p' package.json)
node=node_modules/.bin/node
if ! cmp -s package-lock.json node_modules/.installed-lock || [ "$("$node" -p process.versions.node 2>/dev/null)" != "$wanted" ]; then
  echo "Installing npm packages" >&2
  # npm leaves out what does not fit the Node that it runs on itself, so it runs on ours.
  early=${XDG_CACHE_HOME:-$HOME/.cache}/ocits-node/$wanted
  if [ "$("$early/node_modules/.bin/node" -p process.versions.node 2>/dev/null)" != "$wanted" ]; then
    mkdir -p "$early"
    echo "{\"private\": true, \"allowScripts\": {\"node@$wanted\": true}}" >"$early/package.json"
    npm install --prefix "$early" --no-save --no-audit --no-fund --loglevel=error "node@$wanted" >&2
  fi
  PATH="$early/node_modules/.bin:$PATH" npm ci --no-audit --no-fund --loglevel=error >&2
  cp package-lock.json node_modules/.installed-lock
fi
version=$("$node" -p process.versions.node)
if [ "$version" != "$wanted" ]; then
  echo "node_modules has Node $version, and package.json names $wanted: remove node_modules and try again" >&2
  exit 1
fi

export PATH="$PWD/node_modules/.bin:$PATH"
exec ${sudo:+sudo -E} "$PWD/$node" "$@"
