#!/bin/sh
# dpkg passes "remove" or "upgrade"; rpm passes the number of versions that remain installed.
set -e
case "$1" in
remove | 0) ;;
*) exit 0 ;;
esac
command -v systemctl >/dev/null || exit 0
if [ -d /run/systemd/system ]; then
	systemctl stop integra_exporter.socket integra_exporter.service || true
fi
systemctl disable integra_exporter.socket integra_exporter.service
