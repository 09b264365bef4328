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
	local job="--scene --threshold --far --policy --callback"

	case $command in
	match) _facefleet_words "--json --picture --timeout $job $everywhere" ;;
	submit) _facefleet_words "--wait --out --format --resume --base-dir --in-flight $job $everywhere" ;;
	collections) _facefleet_words "--json --out --embedder --threads $everywhere" ;;
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

_facefleet() {
	local command=""
	COMPREPLY=()
	_facefleet_find_command

	case ${COMP_WORDS[COMP_CWORD - 1]} in
	--scene) _facefleet_words "batch realtime" && return ;;
	--policy) _facefleet_words "largest best_pair reject_multiple" && return ;;
	--format) _facefleet_words "jsonl csv" && return ;;
	--base-dir | --detector | --embedder) _facefleet_files -d && return ;;
	-o | --out | -p | --picture | --roc | -c | --config) _facefleet_files && return ;;
	-s | --set | -b | --broker | --threshold | --far | --callback | -t | --timeout | --in-flight | --threads) return ;;
	esac

	case ${COMP_WORDS[COMP_CWORD]},$command in
	-*) _facefleet_options ;;
	*,match | *,submit) _facefleet_files ;;
	*,models) _facefleet_models ;;
	*,collections) _facefleet_collections ;;
	*,store) _facefleet_words "migrate status" ;;
	*, | *,help) _facefleet_words "match submit collections store topology models help" ;;
	esac
}

complete -F _facefleet facefleet
