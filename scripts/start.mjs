// `npm start`: installs and builds what is missing, then runs `quorate dev` in this very process.
// Old syntax and no dependency up to the version check: an old Node must be able to read it and say what it needs.
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

function fail(sentence) {
  process.stderr.write(sentence + '\n');
  process.exit(1);
}

const version = process.versions.node.split('.').map(Number);
if (version[0] < 20 || (version[0] === 20 && version[1] < 19)) {
  fail('This is Node ' + process.versions.node + '; quorate needs Node 20.19 or newer.');
}

// Runs one step, quietly unless it fails; a line now and then shows that it is still at work.
function step(title, command, args) {
  return new Promise((resolve) => {
    const begun = Date.now();
    const seconds = () => Math.round((Date.now() - begun) / 1000);
    process.stdout.write(title + ' ...\n');
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    const output = [];
    let kept = 0;
    const keep = (chunk) => {
      output.push(chunk);
      kept += chunk.length;
      while (kept > 65536 && output.length > 1) kept -= output.shift().length;
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const progress = setInterval(() => process.stdout.write(title + ' ... ' + seconds() + ' s\n'), 10000);
    const passOn = (signal) => child.kill(signal);
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.on(signal, passOn);
    const done = (problem) => {
      clearInterval(progress);
      for (const signal of signals) process.off(signal, passOn);
      if (problem === undefined) return resolve();
      process.stderr.write(Buffer.concat(output));
      fail(title + ' failed: ' + problem);
    };
    child.once('error', (error) => done(error.message));
    child.once('close', (code, signal) => {
      done(code === 0 ? undefined : signal === null ? 'exit code ' + code : 'stopped by ' + signal);
    });
  });
}

await step('Installing packages', process.execPath, [join(root, 'scripts', 'install.mjs')]);
await step('Building', process.execPath, [join(root, 'scripts', 'build.mjs')]);

// Under npm (`exec` in package.json: no shell between), npm passes signals on. When npm itself is killed, nobody could stop
// the cluster any more.
if (process.env.npm_lifecycle_event === 'start') {
  const npm = process.ppid;
  setInterval(() => {
    if (process.ppid !== npm) process.kill(process.pid, 'SIGTERM');
  }, 500).unref();
}

// From here on this process is `quorate dev`: signals and the exit code need no passing on.
const program = join(root, 'dist', 'main.js');
process.argv = [process.execPath, program, 'dev', ...process.argv.slice(2)];
await import(program);
