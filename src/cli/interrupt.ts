/** The signals by which a user ends a verb that goes on until it is told to stop. */

/** Calls back at SIGINT and SIGTERM, instead of ending the process, until the function that this returns is called. */
export function onInterrupt(callback: (signal: NodeJS.Signals) => void): () => void {
  const signals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM'];
  for (const signal of signals) process.on(signal, callback);
  return () => {
    for (const signal of signals) process.off(signal, callback);
  };
}
