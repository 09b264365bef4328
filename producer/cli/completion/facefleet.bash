# Completion of facefleet for bash. The suite checks that no command or option is missing here.

# Offers those of the words $1 that begin like the word at the cursor.
_facefleet_words() {
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "${COMP_WORDS[COMP_CWORD]}")
}

# Offers files, or with $1 = -d folders.
_facefleet_files() {
	compopt -o filenames
	mapfile -t COMPREPLY < <(compgen "${1:--f}" -- "${COMP_WORDS[COMP_CWORD]}")
}

# Sets `command` to the command on the line, if there is one before the cursor.
_facefleet_find_command() {
	local i
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-c | --config | -s | --set | -b | --broker) ((i++)) ;;
		-*) ;;
		*) command=${COMP_WORDS[i]} && return ;;
		esac
	done
}

_facefleet_options() {
	local everywhere="--config --set --broker --verbose --quiet --help --version"
	local job="--scene --callback" face="--policy --scene --callback" pair="--threshold --far --policy --scene --callback"
	local ask="--json --timeout" list="--out --format --resume --base-dir --in-flight"

	case $command in
	match) _facefleet_words "--picture $ask $pair $everywhere" ;;
	submit) _facefleet_words "--wait $list $pair $everywhere" ;;
	enroll) _facefleet_words "--from --collection $ask $list $face $everywhere" ;;
	unenroll) _facefleet_words "--collection $ask $job $everywhere" ;;
	verify) _facefleet_words "--collection $ask $pair $everywhere" ;;
	search) _facefleet_words "--top --collection $ask $pair $everywhere" ;;
	collections) _facefleet_words "--json --out --embedder --threads $everywhere" ;;
	schedule) _facefleet_words "--at --in --every --cron --time-zone --misfire --name --top --collection --json $pair $everywhere" ;;
	erase) _facefleet_words "--collection --yes $everywhere" ;;
	keys) _facefleet_words "--scopes --collection --rate --burst --json $everywhere" ;;
	endpoints) _facefleet_words "--rotate --json $everywhere" ;;
	config) _facefleet_words "--for --json $everywhere" ;;
	task) _facefleet_words "--watch --json $everywhere" ;;
	tasks) _facefleet_words "--state --scene --user --since --limit --json $everywhere" ;;
	replay) _facefleet_words "--same-id $everywhere" ;;
	dead) _facefleet_words "--reason --limit --json --all --same-id --yes $everywhere" ;;
	top) _facefleet_words "--interval --window $everywhere" ;;
	workers) _facefleet_words "--json --watch --timeout $everywhere" ;;
	topology) _facefleet_words "--check --apply --print --policies --json $everywhere" ;;
	models) _facefleet_words "--json --detector --embedder --roc --threads --config --set --quiet --help --version" ;;
	*) _facefleet_words "$everywhere" ;;
	esac
}

# A command of `models`, then what it is about: files or folders.
_facefleet_models() {
	case ${COMP_WORDS[COMP_CWORD - 1]} in
	models) _facefleet_words "list show verify evaluate fetch reembed" ;;
	fetch) _facefleet_words "opencv-zoo" ;;
	*) _facefleet_files ;;
	esac
}

# An action of `collections`, then its file.
_facefleet_collections() {
	case ${COMP_WORDS[COMP_CWORD - 1]} in
	collections) _facefleet_words "list export import drop-model reembed" ;;
	import) _facefleet_files ;;
	esac
}

# An action of `keys`, `endpoints`, `config` or `dead`.
_facefleet_actions() {
	case ${COMP_WORDS[COMP_CWORD - 1]} in
	keys) _facefleet_words "list create revoke" ;;
	endpoints) _facefleet_words "list secret enable disable remove" ;;
	config) _facefleet_words "get set unset diff history rollback" ;;
	dead) _facefleet_words "list show replay drop" ;;
	esac
}

# An action of `schedule`, then a job and its photographs.
_facefleet_schedule() {
	case ${COMP_WORDS[COMP_CWORD - 1]} in
	schedule) _facefleet_words "add list remove run-now" ;;
	add) _facefleet_words "match verify search enroll unenroll" ;;
	*) _facefleet_files ;;
	esac
}

_facefleet() {
	local command=""
	COMPREPLY=()
	_facefleet_find_command

	case ${COMP_WORDS[COMP_CWORD - 1]} in
	--scene) _facefleet_words "batch realtime" && return ;;
	--policy) _facefleet_words "largest best_pair reject_multiple" && return ;;
	--scopes) _facefleet_words "match enroll read_all schedule admin" && return ;;
	--misfire) _facefleet_words "run-once skip" && return ;;
	--state) _facefleet_words "pending running failed retrying succeeded final_failed" && return ;;
	--for) _facefleet_words "worker gateway callback tracker scheduler" && return ;;
	--format) _facefleet_words "jsonl csv" && return ;;
	--base-dir | --detector | --embedder) _facefleet_files -d && return ;;
	-f | --from | -o | --out | -p | --picture | --roc | -c | --config) _facefleet_files && return ;;
	-s | --set | -b | --broker | --threshold | --far | --callback | -t | --timeout | --in-flight | --threads | \
		-k | --top | --collection | --rate | --burst | -r | --reason | -n | --limit | --at | --in | --every | \
		--cron | --time-zone | --name | -u | --user | --since | -i | --interval | \
		--window) return ;;
	esac

	case ${COMP_WORDS[COMP_CWORD]},$command in
	-*) _facefleet_options ;;
	*,match | *,submit | *,enroll | *,verify | *,search) _facefleet_files ;;
	*,models) _facefleet_models ;;
	*,collections) _facefleet_collections ;;
	*,keys | *,endpoints | *,config | *,dead) _facefleet_actions ;;
	*,schedule) _facefleet_schedule ;;
	*,store) _facefleet_words "migrate status" ;;
	*, | *,help)
		_facefleet_words "match submit enroll unenroll verify search collections erase schedule store task tasks cancel \
			replay keys endpoints config dead workers top topology models help"
		;;
	esac
}

complete -F _facefleet facefleet
