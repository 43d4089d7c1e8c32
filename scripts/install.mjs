// Installs the packages as locked, if they are not, and makes sure that the SQLite addon works on this Node.
import { ensureInstalled } from './lib/install.mjs';
import { stopAll } from './lib/run.mjs';

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    stopAll();
    process.exit(1);
  });
}
const { ok, output } = await ensureInstalled((sentence) => process.stdout.write(`${sentence}\n`));
if (!ok) process.stderr.write(output);
process.exitCode = ok ? 0 : 1;
