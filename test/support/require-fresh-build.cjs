/** Before any test: refuses to test a dist/ that does not come from today's src/. */
const { existsSync, readFileSync, statSync } = require('node:fs');
const { pathToFileURL } = require('node:url');
const { join } = require('node:path');

const root = join(__dirname, '..', '..');

/** The compiled file of a source. */
const compiled = (source) => join(root, source.replace(/^src\/(.*)\.ts$/, 'dist/$1.js'));

/** For those who call tsc directly: each compiled file is younger than its source. */
const allYounger = (sources) =>
  sources.every(
    (source) =>
      existsSync(compiled(source)) && statSync(compiled(source)).mtimeMs >= statSync(join(root, source)).mtimeMs,
  );

module.exports = async () => {
  const { buildInputs, sourceFiles } = await import(
    pathToFileURL(join(root, 'scripts', 'lib', 'build-inputs.mjs')).href
  );
  const mark = join(root, 'dist', '.built-from');
  if (existsSync(mark) && readFileSync(mark, 'utf8') === buildInputs()) return;
  if (allYounger(sourceFiles())) return;
  throw new Error('The tests run the code in dist/, and it is missing or older than src/. Run "npm run build" first.');
};
