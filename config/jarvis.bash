# Completion for bash: `. config/jarvis.bash`, or install it as /usr/share/bash-completion/completions/jarvis.
# Commands and their options as in bot/command_table.cc.
_jarvis() {
  local word before words=() cword command='' config=() i
  if declare -F _get_comp_words_by_ref >/dev/null; then
    _get_comp_words_by_ref -n : -c word -p before -w words -i cword # a task's name holds a colon, at which bash breaks words
  else
    words=("${COMP_WORDS[@]}") cword=$COMP_CWORD word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
  fi
  local commands='serve deploy redeploy destroy adopt plan status history explain logs confirm cancel retry hosts providers hold release freeze thaw follow quiet whoami audit replay clipboard task check help'
  for ((i = 1; i < cword; ++i)); do
    case ${words[i]} in
      -c | --config | --state) config+=("${words[i]}" "${words[i + 1]}"); ((++i)) ;;
      -*) ;;
      *) [ -n "$command" ] || command=${words[i]} ;;
    esac
  done
  local options='-c --state --json --quiet --detach' offered=''
  case $command in
    plan) options+=' --operation' ;;
    retry) options+=' --skip' ;;
    hosts) options+=' --orphans' ;;
    replay) options+=' --operation --from --only' ;;
    clipboard) options+=' --after --reveal' ;;
    task) options+=' --confirm' ;;
  esac
  case $before in
    -c | --config) COMPREPLY=($(compgen -f -- "$word")); return ;;
    --state) COMPREPLY=($(compgen -d -- "$word")); return ;;
    --operation) offered='deploy redeploy destroy' ;;
    --after | --from | --only | --skip | from) offered=$(_jarvis_tasks) ;;
    *)
      case $command in
        '') offered=$commands ;;
        help) offered="$commands tasks" ;;
        task) offered=$(_jarvis_tasks) ;;
        deploy | redeploy | plan | replay) COMPREPLY=($(compgen -f -- "$word")) ;;
        retry) offered='from because' ;;
        hold | freeze) offered=because ;;
        providers) offered=$(_jarvis_providers) ;;
      esac ;;
  esac
  case $word in -*) offered=$options; COMPREPLY=() ;; esac
  [ -z "$offered" ] || COMPREPLY+=($(compgen -W "$offered" -- "$word"))
  if declare -F __ltrim_colon_completions >/dev/null; then __ltrim_colon_completions "$word"; fi
}
_jarvis_tasks() { "${words[0]}" "${config[@]}" help tasks 2>/dev/null | sed -n 's/^\([a-z][^ ]*:[^ ]*\).*/\1/p'; }
_jarvis_providers() { "${words[0]}" "${config[@]}" providers 2>/dev/null | sed -n 's/^\([^ :]*\): .*/\1/p'; }
complete -o filenames -F _jarvis jarvis
