#!/bin/sh
# Keep the user: it may still own files.
set -e
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
fi
