// Lists and fingerprints of files: what tells a script that its work is already done.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { root } from './paths.mjs';

/** All files at or below the given paths (relative to the root), sorted, as paths relative to the root. */
export function filesBelow(...paths) {
  const found = [];
  const visit = (path) => {
    if (!existsSync(path)) return;
    if (statSync(path).isDirectory()) readdirSync(path).forEach((name) => visit(join(path, name)));
    else found.push(relative(root, path).split(sep).join('/'));
  };
  paths.forEach((path) => visit(join(root, path)));
  return found.sort();
}

/** A fingerprint of names and contents of files, and of some facts beside them. */
export function fingerprint(files, facts = []) {
  const hash = createHash('sha256');
  for (const fact of facts) hash.update(`${fact}\0`);
  for (const file of files)
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(root, file)))
      .update('\0');
  return hash.digest('hex');
}

/** The installed version of a package. */
export function installedVersion(name) {
  const file = join(root, 'node_modules', name, 'package.json');
  if (!existsSync(file)) throw new Error(`The package ${name} is not installed; run "npm ci" first.`);
  return JSON.parse(readFileSync(file, 'utf8')).version;
}

/** The content of a small text file, or undefined when there is none. */
export function readIfThere(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}
