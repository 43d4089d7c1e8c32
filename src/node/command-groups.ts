/** How commands of several callers share one entry of the log. */

/**
 * What knows the commands that the node carries around without looking into them. An entry costs every member several
 * times as much as a command in it (a record in the log, a checksum, objects on the way), so what comes in together goes
 * together.
 *
 * @typeParam Result what the state machine gives for an entry
 */
export interface CommandGroups<Result> {
  /** True if the command can stand in an entry with others, and have its own result all the same. */
  mayShare(command: Uint8Array): boolean;
  /** Makes one command of two or more that may share; they are done in their order, each as if it had come alone. */
  join(commands: readonly Uint8Array[]): Uint8Array;
  /** The results of the commands that were joined, in their order. */
  split(result: Result): readonly Result[];
}
