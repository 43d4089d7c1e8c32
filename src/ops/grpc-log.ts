/** What the gRPC library says goes to our log: by itself it would write plain lines to standard error. */
import { format } from 'node:util';
import { logVerbosity, setLogger, setLogVerbosity } from '@grpc/grpc-js';
import type { Logger } from '../base/logger';

/** From now on, for the whole process. Its "errors" are about connections, and whoever holds those reports them better. */
export function routeGrpcLog(logger: Logger): void {
  const say = (...what: unknown[]) => {
    logger.debug({ library: 'grpc-js' }, format(...what));
  };
  setLogger({ error: say, info: say, debug: say });
  setLogVerbosity(logVerbosity.ERROR);
}
