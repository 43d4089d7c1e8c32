/** Why a call that may last ends before it is answered. */
import { QuorateError } from '../base/error';

/** This member goes; another may be asked. */
export function stopping(): QuorateError {
  return new QuorateError('stopping', 'this member is stopping; call another one');
}

/** Nobody reads this: the call has ended. */
export function abandoned(): QuorateError {
  return new QuorateError('deadline-exceeded', 'the client went away, or its deadline has passed');
}
