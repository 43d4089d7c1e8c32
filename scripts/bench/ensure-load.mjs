// Compiles the load generator (load/) where that has not been done yet; started by itself, prints where the program is.
import { accessSync, constants, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { filesBelow, fingerprint } from '../lib/files.mjs';
import { at } from '../lib/paths.mjs';
import { run } from '../lib/run.mjs';

const sources = filesBelow('scripts/bench/load');
const flags = ['-std=c++17', '-O2', '-Wall', '-Wextra'];
const libraries = ['-lnghttp2', '-lssl', '-lcrypto'];
const debian = ['g++', 'libnghttp2-dev', 'libssl-dev'];

/** Whether there is a compiler that finds the libraries. */
async function canCompile() {
  const headers = ['nghttp2/nghttp2.h', 'openssl/ssl.h'].flatMap((header) => ['-include', header]);
  const { ok } = await run(['g++', '-E', '-x', 'c++', ...headers, '/dev/null'], { timeoutMs: 60_000 });
  return ok;
}

/** Installs Debian's packages, if this process may. */
async function install() {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return;
  await run([at('scripts', 'lib', 'install-packages.sh'), ...debian]);
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * The path of the compiled load generator.
 *
 * @throws {Error} with a sentence for people, when it cannot be compiled here
 */
export async function ensureLoad() {
  const program = at(
    'node_modules',
    '.cache',
    'quorate',
    `load-${fingerprint(sources, [...flags, ...libraries]).slice(0, 16)}`,
  );
  if (isProgram(program)) return program;
  if (!(await canCompile())) await install();
  if (!(await canCompile()))
    throw new Error(
      `The load generator needs g++, nghttp2 and OpenSSL: install the Debian packages ${debian.join(', ')}.`,
    );
  mkdirSync(dirname(program), { recursive: true });
  // Under a name of its own first: two may compile at once.
  const fresh = `${program}.${process.pid}`;
  const { ok, output } = await run(['g++', ...flags, '-o', fresh, at('scripts/bench/load/load.cc'), ...libraries]);
  if (!ok) {
    rmSync(fresh, { force: true });
    throw new Error(`The load generator does not compile:\n${output}`);
  }
  renameSync(fresh, program);
  return program;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    console.log(await ensureLoad());
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
