#!/bin/sh
# dpkg passes "configure" and the previous version, if any; rpm passes the number of installed versions.
set -e
case "$1:$2" in
configure: | 1:) first=yes ;;
configure:* | 2:) first= ;;
*) exit 0 ;;
esac
if [ -e /run/integra_exporter.reinstalled ]; then # preinstall.sh
	first=yes
	rm /run/integra_exporter.reinstalled
fi
command -v systemctl >/dev/null || exit 0 # a container

# An upgrade does not enable a service that somebody has disabled.
if [ -n "$first" ]; then
	systemctl enable integra_exporter.service
fi
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	if [ -n "$first" ]; then
		systemctl start integra_exporter.service || true # the log says why
	else
		systemctl try-restart integra_exporter.service || true
	fi
fi
