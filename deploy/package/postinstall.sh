#!/bin/sh
# dpkg says "configure" and the version before, if there was one; rpm how many there are now.
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

# Whoever disables it has decided that for the next version, too.
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
