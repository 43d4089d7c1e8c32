// `npm run generate`: TypeScript stubs from proto/ into src/gen, only when an input or the output has changed.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { filesBelow, fingerprint, installedVersion, readIfThere } from './lib/files.mjs';
import { at, root, tool } from './lib/paths.mjs';

// Inside src/gen, so that whoever deletes the folder deletes the mark with it.
const mark = at('src', 'gen', '.generated-from');

const inputs = fingerprint(filesBelow('proto', 'buf.gen.yaml', 'buf.yaml'), [
  `buf ${installedVersion('@bufbuild/buf')}`,
  `ts-proto ${installedVersion('ts-proto')}`,
]);
const outputs = () => fingerprint(filesBelow('src/gen').filter((file) => file.endsWith('.ts')));

if (readIfThere(mark) === `${inputs}\n${outputs()}\n`) {
  process.stdout.write('src/gen is up to date\n');
} else {
  const [command, ...args] = tool('buf');
  const { status, error } = spawnSync(command, [...args, 'generate'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (error !== undefined || status !== 0) {
    process.stderr.write(`buf generate failed${error === undefined ? '' : `: ${error.message}`}\n`);
    process.exit(1);
  }
  writeFileSync(mark, `${inputs}\n${outputs()}\n`);
  process.stdout.write('src/gen is generated anew\n');
}
