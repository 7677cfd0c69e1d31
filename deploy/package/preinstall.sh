#!/bin/sh
# The user must exist before the files that its group may read.
set -e
getent group integra_exporter >/dev/null || groupadd --system integra_exporter
getent passwd integra_exporter >/dev/null ||
	useradd --system --gid integra_exporter --home-dir /nonexistent --no-create-home \
		--shell /usr/sbin/nologin integra_exporter
# dpkg passes "install" and a version if the package was removed but its configuration kept;
# postinstall.sh cannot distinguish that from an upgrade.
case "$1:$2" in
install:?*) : >/run/integra_exporter.reinstalled ;;
esac
