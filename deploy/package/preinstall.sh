#!/bin/sh
# The user must be there before the files that its group may read.
set -e
getent group integra_exporter >/dev/null || groupadd --system integra_exporter
getent passwd integra_exporter >/dev/null ||
	useradd --system --gid integra_exporter --home-dir /nonexistent --no-create-home \
		--shell /usr/sbin/nologin integra_exporter
