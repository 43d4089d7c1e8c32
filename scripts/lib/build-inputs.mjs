// What dist/ is built from: the build marks its result with it, and the tests check the mark.
import { filesBelow, fingerprint, installedVersion } from './files.mjs';

/** All sources, as paths relative to the root. */
export const sourceFiles = () => filesBelow('src').filter((file) => file.endsWith('.ts'));

/** The descriptors of the API, which the program reads: taken over as they are. */
export const descriptorsFile = 'src/gen/descriptors.binpb';

/** A fingerprint of everything that decides what the compiler writes. */
export const buildInputs = () =>
  fingerprint([...sourceFiles(), descriptorsFile, 'tsconfig.json'], [`typescript ${installedVersion('typescript')}`]);
