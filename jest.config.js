/** How the tests run: one project for each kind of test, all against the built code in dist/. */
const common = {
  rootDir: __dirname,
  testEnvironment: 'node',
  // The tests are typechecked by the gate (tsc -p test/tsconfig.json); here they are only translated.
  transform: { '^.+\\.ts$': ['ts-jest', { tsconfig: '<rootDir>/test/tsconfig.json', diagnostics: false }] },
  // Tests import the sources by name and get the built code, so that worker threads and child processes run the same.
  moduleNameMapper: { '^(?:\\.\\./)+src/(.*)$': '<rootDir>/dist/$1' },
  modulePathIgnorePatterns: ['<rootDir>/.cache/'],
  restoreMocks: true,
};

// What a single test may take, in seconds. Pure code gets little: it has nothing to wait for.
const kinds = {
  unit: 10,
  paper: 10,
  scenarios: 10,
  contract: 20,
  property: 60,
  sim: 120,
  integration: 120,
  compat: 120,
};

module.exports = {
  maxWorkers: 2,
  globalSetup: '<rootDir>/test/support/require-fresh-build.cjs',
  projects: Object.entries(kinds).map(([kind, seconds]) => ({
    ...common,
    displayName: kind,
    testMatch: [`<rootDir>/test/${kind}/**/*.test.ts`],
    testTimeout: seconds * 1000,
  })),
};
