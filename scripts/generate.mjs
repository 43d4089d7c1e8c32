// `npm run generate`: TypeScript stubs from proto/ into src/gen, and the descriptors that server reflection tells of, only
// when an input or the output has changed.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { descriptorsFile } from './lib/build-inputs.mjs';
import { filesBelow, fingerprint, installedVersion, readIfThere } from './lib/files.mjs';
import { at, root, tool } from './lib/paths.mjs';

// Inside src/gen, so that whoever deletes the folder deletes the mark with it.
const mark = at('src', 'gen', '.generated-from');

/** The health service is a package's, with its proto. */
const healthProtos = 'node_modules/grpc-health-check/proto';

const inputs = fingerprint(filesBelow('proto', healthProtos, 'buf.gen.yaml', 'buf.yaml', 'scripts/generate.mjs'), [
  `buf ${installedVersion('@bufbuild/buf')}`,
  `ts-proto ${installedVersion('ts-proto')}`,
]);
const outputs = () =>
  fingerprint(filesBelow('src/gen').filter((file) => file.endsWith('.ts') || file === descriptorsFile));

/** Runs buf to its end; returns what it wrote, if it was asked to give that. */
function buf(args, stdout = 'inherit') {
  const [command, ...first] = tool('buf');
  const options = { cwd: root, stdio: ['ignore', stdout, 'inherit'] };
  const { status, error, stdout: written } = spawnSync(command, [...first, ...args], options);
  if (error === undefined && status === 0) return written;
  process.stderr.write(`buf ${args[0]} failed${error === undefined ? '' : `: ${error.message}`}\n`);
  process.exit(1);
}

const descriptorsOf = (directory) =>
  buf(['build', directory, '--as-file-descriptor-set', '--exclude-source-info', '-o', '-#format=binpb'], 'pipe');

if (readIfThere(mark) === `${inputs}\n${outputs()}\n`) {
  process.stdout.write('src/gen is up to date\n');
} else {
  buf(['generate']);
  // A message of protobuf after another is both together.
  writeFileSync(at(descriptorsFile), Buffer.concat(['proto', healthProtos].map(descriptorsOf)));
  writeFileSync(mark, `${inputs}\n${outputs()}\n`);
  process.stdout.write('src/gen is generated anew\n');
}
