/** Completion for zsh: a function for each verb, which tells `_arguments` its options. */
import type { CompletedOption, CompletedVerb } from './tree';

export function zshScript(verbs: readonly CompletedVerb[]): string {
  return `#compdef quorate
# quorate completion for zsh. Load it with: source <(quorate completion zsh)
${verbs.map(functionOf).join('\n')}
compdef _quorate quorate
`;
}

function nameOf(path: readonly string[]): string {
  return ['_quorate', ...path].join('_').replaceAll('-', '_');
}

function functionOf(verb: CompletedVerb): string {
  const specs = verb.options.flatMap(optionSpecs);
  if (verb.verbs.length > 0) return groupFunction(verb, specs);
  const words = verb.words.length > 0 ? [`'1:word:(${verb.words.join(' ')})'`] : [];
  const rest = verb.takesFiles ? ["'*:file:_files'"] : words;
  return `${nameOf(verb.path)}() {
  _arguments -s ${[...specs, ...rest].map((spec) => `\\\n    ${spec}`).join(' ')}
}`;
}

function groupFunction({ path, verbs }: CompletedVerb, specs: readonly string[]): string {
  const described = verbs.map(({ name, description }) => `    ${quoted(`${name}:${escaped(description)}`)}`);
  const cases = verbs.map(({ name }) => `    ${name}) ${nameOf([...path, name])} ;;`);
  return `${nameOf(path)}() {
  local -a verbs
  local line state
  verbs=(
${described.join('\n')}
  )
  _arguments -C ${[...specs, "'1:verb:->verb'", "'*::argument:->rest'"].map((spec) => `\\\n    ${spec}`).join(' ')}
  case $state in
    verb) _describe 'verb' verbs ;;
    rest) case $line[1] in
${cases.join('\n')}
    esac ;;
  esac
}`;
}

function optionSpecs({ flags, description, takesValue, choices, isPath }: CompletedOption): readonly string[] {
  const value = choices.length > 0 ? `:value:(${choices.join(' ')})` : `:value:${isPath ? '_files' : ' '}`;
  return flags.map((flag) => quoted(`${flag}[${escaped(description)}]${takesValue ? value : ''}`));
}

function escaped(text: string): string {
  return text.replace(/[[\]:\\]/g, (character) => `\\${character}`);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
