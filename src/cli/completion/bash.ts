/** Completion for bash: a function that finds the verb that was typed and offers what fits it. */
import type { CompletedVerb } from './tree';

export function bashScript(verbs: readonly CompletedVerb[]): string {
  const cases = verbs.map(caseOf).join('\n');
  return `# quorate completion for bash. Load it with: source <(quorate completion bash)
_quorate() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" verb="" word index
  local verbs="" options="" files=""
  for (( index = 1; index < COMP_CWORD; index++ )); do
    word="\${COMP_WORDS[index]}"
    case "$verb $word" in
${verbs
  .filter(({ path }) => path.length > 0)
  .map(({ path }) => `      "${path.slice(0, -1).join(' ')} ${String(path.at(-1))}") verb="${path.join(' ')}" ;;`)
  .join('\n')}
    esac
  done
  case "$verb:$previous" in
${verbs.flatMap(valueCases).join('\n')}
  esac
  case "$verb" in
${cases}
  esac
  if [[ "$current" == -* ]]; then
    COMPREPLY=( $(compgen -W "$options" -- "$current") )
  elif [[ -n "$verbs" ]]; then
    COMPREPLY=( $(compgen -W "$verbs" -- "$current") )
  elif [[ -n "$files" ]]; then
    COMPREPLY=( $(compgen -f -- "$current") )
  fi
}
complete -o filenames -F _quorate quorate
`;
}

/** What follows an option that takes a value; nothing is offered where nobody can know. */
function valueCases({ path, options }: CompletedVerb): readonly string[] {
  return options
    .filter(({ takesValue }) => takesValue)
    .map(({ flags, choices, isPath }) => {
      const patterns = flags.map((flag) => `"${path.join(' ')}:${flag}"`).join(' | ');
      const offer = isPath ? '-f' : `-W "${choices.join(' ')}"`;
      return `    ${patterns}) COMPREPLY=( $(compgen ${offer} -- "$current") ); return ;;`;
    });
}

function caseOf({ path, verbs, words, options, takesFiles }: CompletedVerb): string {
  const names = [...verbs.map(({ name }) => name), ...words].join(' ');
  const flags = options.flatMap((option) => option.flags).join(' ');
  return `    "${path.join(' ')}") verbs="${names}"; options="${flags}"; files="${takesFiles ? 'yes' : ''}" ;;`;
}
