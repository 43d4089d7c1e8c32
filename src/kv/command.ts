/** The commands of the key-value state machine: what a log entry asks for. */

/** How the writer gave the value, so that a reader gets it back in the same form. */
export type ValueForm = 'text' | 'bytes';

/** Stores a value under a key. */
export interface PutCommand {
  readonly kind: 'put';
  /** Not empty. */
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly form: ValueForm;
}

/** Removes a key, if it is there. */
export interface DeleteCommand {
  readonly kind: 'delete';
  /** Not empty. */
  readonly key: Uint8Array;
}

export type Command = PutCommand | DeleteCommand;
