/** How the tests run: one project for each kind of test, all against the built code in dist/. */
const common = {
  rootDir: __dirname,
  testEnvironment: 'node',
  // The tests are typechecked by the gate (tsc -p test/tsconfig.json); here they are only translated.
  transform: { '^.+\\.ts$': ['ts-jest', { tsconfig: '<rootDir>/test/tsconfig.json', diagnostics: false }] },
  // Tests import the sources by name and get the built code, so that worker threads and child processes run the same.
  moduleNameMapper: { '^(?:\\.\\./)+src/(.*)$': '<rootDir>/dist/$1' },
  modulePathIgnorePatterns: ['<rootDir>/.cache/'],
  setupFilesAfterEnv: ['<rootDir>/test/support/time-limit.cjs'],
  restoreMocks: true,
};

// Each kind is a folder of test/, with a time limit of its own (test/support/time-limit.cjs).
const kinds = ['unit', 'paper', 'scenarios', 'contract', 'property', 'sim', 'integration', 'compat', 'campaign'];

module.exports = {
  maxWorkers: 2,
  globalSetup: '<rootDir>/test/support/require-fresh-build.cjs',
  projects: kinds.map((kind) => ({
    ...common,
    displayName: kind,
    testMatch: [`<rootDir>/test/${kind}/**/*.test.ts`],
  })),
};
