#!/bin/sh
# Builds mediasoup-worker from the source inside the mediasoup npm package, against the distribution's own
# libraries (subprojects/ stands in for what the package would download). Fetches distribution packages only,
# and only the missing ones, and only as root; otherwise names them and exits with 3. Lines starting with
# "== " are progress. About 4 minutes on two cores.
#
#   build-worker.sh <folder of the mediasoup package> <file to write>
set -eu

package=$(cd "$1" && pwd)
target=$2
here=$(cd "$(dirname "$0")" && pwd)

needs=''
tool() { command -v "$1" >/dev/null || needs="$needs $2"; }
library() { pkg-config --exists "$1" 2>/dev/null || needs="$needs $2"; }
look() {
	needs=''
	tool c++ g++
	tool meson meson
	tool ninja ninja-build
	tool pkg-config pkg-config
	tool flatc flatbuffers-compiler
	library 'flatbuffers >= 2.0.6' libflatbuffers-dev
	library 'libsrtp2 >= 2.3' libsrtp2-dev
	library 'openssl >= 3.0' libssl-dev
	library 'libuv >= 1.40' libuv1-dev
}

look
if [ -n "$needs" ]; then
	if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
		echo "To build it, install these packages and run this again:" >&2
		echo "  apt-get install -y --no-install-recommends$needs" >&2
		exit 3
	fi
	echo "== packages:$needs (about a minute)"
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -q
	# Unquoted on purpose: one argument per package.
	apt-get install -y -q --no-install-recommends $needs
	look
	[ -z "$needs" ] || { echo "still missing after apt-get:$needs" >&2; exit 3; }
fi

# The distribution's meson, not one that a Python version manager put ahead of it.
meson=$(command -v meson)
[ -x /usr/bin/meson ] && meson=/usr/bin/meson

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

echo "== configure (about 15 seconds)"
cp -R "$package/worker" "$work/worker"
cd "$work/worker"
rm -rf subprojects out
cp -R "$here/subprojects" subprojects
# Debian 12 has meson 1.0.1, which builds this just as well.
sed -i "s/meson_version: '>= 1\.1\.0'/meson_version: '>= 1.0.0'/" meson.build
# The BIO callback must hand on the result of every operation, also when an operation bit is set. As shipped it
# makes BIO_get_ktls_send() true, and an OpenSSL with kernel TLS (Debian's; not the one mediasoup bundles) then
# writes the DTLS handshake to a null pointer.
sed -i 's/(operationType == BIO_CB_RETURN) ?/(operationType \& BIO_CB_RETURN) ?/' src/RTC/DtlsTransport.cpp
grep -q 'operationType & BIO_CB_RETURN' src/RTC/DtlsTransport.cpp
"$meson" setup --wrap-mode=nodownload --buildtype=release -Db_ndebug=true "$work/build"

echo "== compile (about 4 minutes on two cores)"
# First, because nothing tells ninja that libwebrtc includes these headers.
"$meson" compile -C "$work/build" flatbuffers-generator
ninja -C "$work/build" mediasoup-worker

echo "== check"
strip "$work/build/mediasoup-worker"
# Started without MEDIASOUP_VERSION it must exit with 41: mediasoup's own check of a downloaded worker.
status=0
"$work/build/mediasoup-worker" >/dev/null 2>&1 || status=$?
if [ "$status" != 41 ]; then
	echo "the mediasoup-worker just built does not run (status $status)" >&2
	exit 1
fi
mkdir -p "$(dirname "$target")"
cp "$work/build/mediasoup-worker" "$target.tmp$$"
mv "$target.tmp$$" "$target"
