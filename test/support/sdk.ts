/** What the tests of the SDK examples have in common: tools, stubs, and a run beside a cluster. */
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export const root = join(__dirname, '../..');

/** Gets the tools for a language. Without them in CI: an error; elsewhere the reason, loudly. */
export function findSdkTools(language: 'go' | 'python'): { readonly missing: string } | undefined {
  const { status, stderr } = spawnSync(join(root, 'scripts/ensure-sdk.sh'), [language], { encoding: 'utf8' });
  if (status === 0) return undefined;
  if ((process.env['CI'] ?? '') !== '') throw new Error(stderr);
  process.stderr.write(`LEFT OUT, the SDK example for ${language}: ${stderr.trim()}\n`);
  return { missing: stderr.trim() };
}

/** Runs a tool to its end. @throws Error with its output, if it fails */
export function run(
  command: string,
  args: readonly string[],
  more: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): void {
  const env = { ...process.env, ...more.env };
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: more.cwd ?? root, env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${String(status)}:\n${stdout}${stderr}`);
}

/** The stubs of a language, as its template says. */
export function generateStubs(language: 'go' | 'python'): void {
  run(join(root, 'node_modules/.bin/buf'), ['generate', '--template', `sdk/${language}/buf.gen.yaml`]);
}

/**
 * Runs an example to its end, and returns its lines.
 *
 * @param onLine called with each line as it comes
 * @throws Error if it fails
 */
export async function runExample(
  command: readonly [string, ...string[]],
  env: Readonly<Record<string, string>>,
  onLine: (line: string) => void,
): Promise<readonly string[]> {
  const [program, ...args] = command;
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: string[] = [];
  let errors = '';
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    onLine(line);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`it ended with ${String(code)} after ${JSON.stringify(lines)}:\n${errors}`);
  return lines;
}
