/** What there is to complete: the verbs and their options, as the command line itself knows them. */
import type { Command, Option } from 'commander';

/** One option. */
export interface CompletedOption {
  /** `--name`, and `-n` if there is one. */
  readonly flags: readonly string[];
  readonly description: string;
  /** It takes a value. */
  readonly takesValue: boolean;
  /** The values there are, if they are few. */
  readonly choices: readonly string[];
  /** The value names a file or a directory. */
  readonly isPath: boolean;
}

/** A verb, or a group of them. */
export interface CompletedVerb {
  /** Its words, without the name of the program; empty for the program itself. */
  readonly path: readonly string[];
  readonly description: string;
  readonly options: readonly CompletedOption[];
  readonly verbs: readonly { readonly name: string; readonly description: string }[];
  /** What its first argument may be, if that is one of a few words. */
  readonly words: readonly string[];
  /** Its arguments may be files. */
  readonly takesFiles: boolean;
}

/** Every verb, groups before what is in them, the program itself first. */
export function completedVerbs(command: Command, path: readonly string[] = []): readonly CompletedVerb[] {
  const verb: CompletedVerb = {
    path,
    description: firstSentence(command.description()),
    options: command.createHelp().visibleOptions(command).map(completedOption),
    verbs: command.commands.map((inner) => ({ name: inner.name(), description: firstSentence(inner.description()) })),
    words: command.registeredArguments[0]?.argChoices ?? [],
    takesFiles: command.registeredArguments.some((argument) => /^(file|command)/.test(argument.name())),
  };
  return [verb, ...command.commands.flatMap((inner) => completedVerbs(inner, [...path, inner.name()]))];
}

function completedOption(option: Option): CompletedOption {
  const flags = [option.long, option.short].filter((flag) => flag !== undefined);
  return {
    flags,
    description: firstSentence(option.description),
    takesValue: option.required || option.optional,
    choices: option.argChoices ?? [],
    isPath: /<(path|file|dir)/.test(option.flags),
  };
}

function firstSentence(text: string): string {
  return text.replace(/[.;:] .*$/s, '').replace(/\.$/, '');
}
