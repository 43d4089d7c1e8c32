/** What the programs of the simulator have in common. */

/** Runs a program to its end: exit code 0 if it passed, 1 if it did not, 2 if it broke, with the reason on stderr. */
export function runProgram(main: () => Promise<boolean>): void {
  main().then(
    (passed) => {
      process.exitCode = passed ? 0 : 1;
    },
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
      process.exitCode = 2;
    },
  );
}
