#!/bin/sh
# The user must be there before the files that its group may read.
set -e
getent group integra_exporter >/dev/null || groupadd --system integra_exporter
getent passwd integra_exporter >/dev/null ||
	useradd --system --gid integra_exporter --home-dir /nonexistent --no-create-home \
		--shell /usr/sbin/nologin integra_exporter
# dpkg says "install" and a version when the package was removed and its configuration kept; to
# postinstall.sh that looks like an upgrade.
case "$1:$2" in
install:?*) : >/run/integra_exporter.reinstalled ;;
esac
