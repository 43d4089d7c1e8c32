// `npm test`: the whole gate. Read-only, works on a bare clone, ends with `N passed, N failed` on a line of its own.
// `node scripts/gate.mjs unit lint` runs only the named steps and what they need; `proofs` runs only when it is named.
import { nodeProblem } from './lib/install.mjs';
import { stopAll } from './lib/run.mjs';
import { closingLine, failed, skipped, sum } from './gate/outcome.mjs';
import { gateCores, longSteps, steps } from './gate/steps.mjs';
import { workTree } from './gate/tree.mjs';

const outcomes = new Map();
const say = (line) => process.stdout.write(`${line}\n`);
const indent = (text) => text.trimEnd().replace(/^/gm, '    ');

/** The named steps and, transitively, those they need; all when none is named. */
function select(names) {
  if (names.length === 0) return steps;
  const all = [...steps, ...longSteps];
  const wanted = new Set();
  const add = (name) => {
    const step = all.find((candidate) => candidate.name === name);
    if (step === undefined)
      throw new Error(`There is no step "${name}"; there are ${all.map((s) => s.name).join(', ')}.`);
    wanted.add(step);
    step.needs.forEach(add);
  };
  names.forEach(add);
  return all.filter((step) => wanted.has(step));
}

const broken = (name) => (outcomes.get(name)?.failed ?? 0) > 0 || outcomes.get(name)?.notRun === true;

async function outcomeOf(step, context) {
  const missing = step.needs.find(broken);
  if (missing !== undefined) return { ...skipped(`not run, since "${missing}" failed`), notRun: true };
  try {
    return await step.run(context);
  } catch (error) {
    return failed(`The gate itself failed here: ${error?.stack ?? error}`);
  }
}

function markOf({ passed: ok, failed: bad, skipped: out }) {
  if (bad > 0) return 'FAILED ';
  if (ok > 0) return 'ok     ';
  return out > 0 ? 'SKIPPED' : 'none   ';
}

function report(step, outcome, startedAt) {
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  const tests = outcome.passed + outcome.failed > 1 ? `, ${closingLine(outcome).replace(/, 0 failed/, '')}` : '';
  say(`${markOf(outcome)} ${step.title} [${step.name}] ${seconds} s${tests}`);
  if (outcome.details !== '') say(indent(outcome.details));
  for (const reason of outcome.reasons ?? []) say(`    !! ${reason}`);
}

/** Runs a step to its end, with a sign of life for whoever watches a long one. */
async function runStep(step, context) {
  const startedAt = Date.now();
  const pulse = setInterval(
    () => say(`    ... ${step.name}, ${Math.round((Date.now() - startedAt) / 1000)} s`),
    60_000,
  );
  const outcome = await outcomeOf(step, context);
  clearInterval(pulse);
  outcomes.set(step.name, outcome);
  report(step, outcome, startedAt);
}

/** In their order, as many beside each other as there are cores for. */
async function runAll(selected) {
  const context = { say: (line) => say(`    ${line}`), before: await workTree() };
  const running = new Map();
  const coresInUse = () => [...running.keys()].reduce((sum, { cores }) => sum + cores, 0);
  for (const step of selected) {
    const mustWait = () =>
      coresInUse() + step.cores > gateCores || [...running.keys()].some(({ name }) => step.needs.includes(name));
    while (mustWait()) await Promise.race(running.values());
    running.set(
      step,
      runStep(step, context).then(() => running.delete(step)),
    );
  }
  await Promise.all(running.values());
}

/** The end, however it comes about: no process left behind, and the closing line as the last one. */
function finish(problem) {
  stopAll();
  if (problem !== undefined) {
    say(`FAILED  ${problem}`);
    outcomes.set('the gate itself', failed(problem));
  }
  const broke = [...outcomes].filter(([, outcome]) => outcome.failed > 0);
  if (broke.length > 0) say(`Failed: ${broke.map(([name]) => name).join(', ')}`);
  for (const [name, { failures = [] }] of broke) for (const failure of failures) say(`  ${name}: ${failure}`);
  const total = sum([...outcomes.values()]);
  process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
  process.stdout.write(`${closingLine(total)}\n`, () => process.exit());
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => finish(`stopped by ${signal}`));
process.once('uncaughtException', (error) => finish(error.stack ?? String(error)));

const problem = nodeProblem();
if (problem !== undefined) {
  finish(problem);
} else {
  const startedAt = Date.now();
  await runAll(select(process.argv.slice(2)));
  say(`Done in ${Math.round((Date.now() - startedAt) / 1000)} s on Node ${process.versions.node}`);
  finish();
}
