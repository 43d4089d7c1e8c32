// Puts calls into a map and deletes them, a few at a time, and prints how many bytes of them a minor collection leaves.
// Started with --expose-gc.
const [path, name] = process.argv.slice(2);
const { [name]: Churned } = path === '' ? globalThis : require(path);

const inFlight = 32;
const map = new Churned();
let last = 0;

function churn(calls) {
  for (let count = 0; count < calls; count++) {
    map.set(++last, { id: last, what: new Array(50).fill(last) });
    map.delete(last - inFlight);
  }
}

churn(1000);
globalThis.gc();
const before = process.memoryUsage().heapUsed;
churn(50_000);
globalThis.gc({ type: 'minor' });
process.stdout.write(String(process.memoryUsage().heapUsed - before));
