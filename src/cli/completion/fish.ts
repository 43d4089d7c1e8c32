/** Completion for fish: a line for each verb and option, with the condition under which it is offered. */
import type { CompletedOption, CompletedVerb } from './tree';

export function fishScript(verbs: readonly CompletedVerb[]): string {
  return `# quorate completion for fish. Load it with: quorate completion fish | source
function __quorate_at
    # Whether the words typed so far, without options, are exactly these verbs, and then anything that is no verb.
    set -l words (commandline -opc | string match -v -- '-*')
    test (count $words) -gt (count $argv); or return 1
    for index in (seq (count $argv))
        test "$words[(math $index + 1)]" = "$argv[$index]"; or return 1
    end
    return 0
end
function __quorate_only
    # The same, and nothing after them.
    __quorate_at $argv; or return 1
    set -l words (commandline -opc | string match -v -- '-*')
    test (count $words) -eq (math (count $argv) + 1)
end
complete -c quorate -f
${verbs.flatMap(linesOf).join('\n')}
`;
}

function linesOf({ path, verbs, words: choices, options, takesFiles }: CompletedVerb): readonly string[] {
  const words = path.join(' ');
  const inner = verbs.map(
    ({ name, description }) => `complete -c quorate -n '__quorate_only ${words}' -a ${name} -d ${quoted(description)}`,
  );
  const condition = verbs.length > 0 ? '__quorate_only' : '__quorate_at';
  const flags = options.map((option) => `complete -c quorate -n '${condition} ${words}' ${flagsOf(option)}`);
  const files = takesFiles ? [`complete -c quorate -n '__quorate_at ${words}' -F`] : [];
  const offered = choices.map((choice) => `complete -c quorate -n '__quorate_only ${words}' -a ${choice}`);
  return [...inner, ...offered, ...flags, ...files];
}

function flagsOf({ flags, description, takesValue, choices, isPath }: CompletedOption): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  const offered = choices.length > 0 ? [`-a ${quoted(choices.join(' '))}`] : [];
  const value = takesValue ? [isPath ? '-r -F' : '-x', ...offered] : [];
  return [...names, ...value, `-d ${quoted(description)}`].join(' ');
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, (character) => `\\${character}`)}'`;
}
