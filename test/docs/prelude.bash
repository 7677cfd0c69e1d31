# Stand-ins for what a machine of the tests does not have. What they are told is
# checked as far as it can be; everything else in the documents is the real thing.
set -o pipefail
# A search that finds nothing and a check that finds something end with 1.
trap 'status=$?; if ((status > 1)) || [[ ! $BASH_COMMAND =~ (grep|check|return|command\ integra) ]]; then printf "\nSTATUS %s: %s\n" "$status" "$BASH_COMMAND"; fi' ERR

# arrives waits, as a person does, until a page is there.
arrives() {
	for _ in {1..200}; do
		command curl -fsS -o /dev/null "$1" 2>/dev/null && return
		sleep 0.1
	done
	echo "$1 does not answer"
	return 9
}

# No systemd here: the exporter's log and signals are real.
journalctl() { cat "$EXPORTER_LOG"; }
timedatectl() { :; }
systemctl() {
	case $1 in
		reload) if [[ $2 == integra_exporter ]]; then kill -HUP "$EXPORTER"; fi ;;
		status | restart | enable | disable | daemon-reload | start | stop | show) ;;
		*) return 3 ;;
	esac
}
cd() { [[ $1 == /etc/integra_exporter ]] || builtin cd "$1"; }
# What is done as root would be done to the machine of the tests: only these.
sudo() {
	while [[ $1 == -u ]]; do shift 2; done
	case $1 in
		systemctl | journalctl | integra_exporter) "$@" ;;
		bash | apt | apt-get | dpkg | dnf | rpm | install | useradd | chown | chmod | docker | make | tee | cp) ;;
		*) return 3 ;;
	esac
}

# No Docker engine, no cluster; `make docker-test` runs the image, test/kubernetes renders the chart.
docker() { :; }
kubectl() { :; }
helm() { :; }

# make, npm and go run in CI anyway: a name that is not there is an error.
make() {
	local target
	for target; do
		[[ $target == *=* ]] || grep -q "^$target:" "$REPOSITORY/Makefile" || return 3
	done
}
npm() {
	case $1 in
		ci | test) ;;
		run) grep -q "\"$2\":" "$REPOSITORY"/{dashboards,test/browser,test/preview}/package.json ;;
		*) return 3 ;;
	esac
}
go() { [[ $1 == test || $1 == run || $1 == build || $1 == install ]]; }
# test/promql runs these.
promtool() { if [[ $1 == test ]]; then :; else command promtool "$@"; fi; }

# What runs until somebody stops it is stopped after a while, and has a port of its own. In the foreground: else
# timeout's signal comes twice, and the second kills.
integra_exporter() {
	case " $* " in
		*" demo "* | *" --watch "* | *" serve "* | *" --no-schedule "* | *" --schedule.seed="* | "  ") ;;
		*) command integra_exporter "$@"; return ;;
	esac
	[[ " $* " == *" --watch "* || " $* " == *" --web.listen-address="* ]] || set -- "$@" --web.listen-address=127.0.0.1:0
	command timeout --foreground --preserve-status --signal=INT 4 integra_exporter "$@"
}
