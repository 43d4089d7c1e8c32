/** How calls that may last end before they are answered. */
import { QuorateError } from '../base/error';

/** This member goes; another may be asked. */
export function stopping(): QuorateError {
  return new QuorateError('stopping', 'this member is stopping; call another one');
}

/** Nobody reads this: the call has ended. */
export function abandoned(): QuorateError {
  return new QuorateError('deadline-exceeded', 'the client went away, or its deadline has passed');
}

/** Calls that last for as long as their clients like. */
export interface LastingCalls {
  /** Ends them with `stopping`, those of now and those that come later. What it returns is awaited: answers still on their way. */
  stop(): unknown;
}
