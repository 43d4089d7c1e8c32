// `npm start`: installs and builds what is missing, then runs `quorate dev` in this very process.
// Old syntax and no dependency up to the version check: an old Node must be able to read it and say what it needs.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
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

function modificationTime(path) {
  return existsSync(path) ? statSync(path).mtimeMs : -1;
}

// npm writes this file at the end of each installation.
const installed = modificationTime(join(root, 'node_modules', '.package-lock.json'));
if (installed < modificationTime(join(root, 'package-lock.json'))) {
  const npm = process.env.npm_execpath;
  const [command, first] = npm === undefined ? ['npm', []] : [process.execPath, [npm]];
  await step('Installing packages', command, [...first, 'ci', '--no-audit', '--no-fund']);
}
await step('Building', process.execPath, [join(root, 'scripts', 'build.mjs')]);

// Under npm, this process has npm and a shell above it. When either is gone, nobody could stop the cluster any more.
function parentOf(pid) {
  try {
    // "pid (name) state parent ..."; the name may hold anything, parentheses too.
    return readFileSync('/proc/' + pid + '/stat', 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')[1];
  } catch {
    return undefined; // no /proc here
  }
}
if (process.env.npm_lifecycle_event === 'start') {
  const parent = process.ppid;
  const grandparent = parentOf(parent);
  setInterval(() => {
    if (process.ppid !== parent || parentOf(parent) !== grandparent) process.kill(process.pid, 'SIGTERM');
  }, 500).unref();
}

// From here on this process is `quorate dev`: signals and the exit code need no passing on.
const program = join(root, 'dist', 'main.js');
process.argv = [process.execPath, program, 'dev', ...process.argv.slice(2)];
await import(program);
