// What a tool can check of the house style (CONTRIBUTING.md). Layout is Prettier's; layers are dependency-cruiser's.
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';
import { opensWithPurpose } from './scripts/lint/opens-with-purpose.mjs';

const house = { plugins: { house: { rules: { 'opens-with-purpose': opensWithPurpose } } } };

/** Rules for any JavaScript or TypeScript here. */
const everywhere = {
  eqeqeq: 'error',
  'no-var': 'error',
  'prefer-const': 'error',
  'object-shorthand': 'error',
  'no-template-curly-in-string': 'error',
};

const shape = {
  'max-lines': ['error', { max: 400 }],
  'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
  '@typescript-eslint/max-params': ['error', { max: 4 }],
  'no-restricted-exports': [
    'error',
    { restrictDefaultExports: { direct: true, named: true, defaultFrom: true, namedFrom: true, namespaceFrom: true } },
  ],
};

/** strict-type-checked, sharpened where the house is stricter and eased where the rule costs more than it finds. */
const typescript = {
  '@typescript-eslint/no-floating-promises': ['error', { ignoreVoid: true }],
  '@typescript-eslint/switch-exhaustiveness-check': [
    'error',
    // A default branch that asserts (`unreachable(x)`) may stand beside all cases; it does not stand in for one.
    { allowDefaultCaseForExhaustiveSwitch: true, requireDefaultForNonUnion: true },
  ],
  '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
  '@typescript-eslint/prefer-readonly': 'error',
  '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
  // Numbers print without surprises; everything else is spelled out.
  '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
  '@typescript-eslint/no-confusing-void-expression': [
    'error',
    { ignoreArrowShorthand: true, ignoreVoidOperator: true },
  ],
  '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: 'only-allowed-literals' }],
  // An implementation of an asynchronous interface may have nothing to wait for.
  '@typescript-eslint/require-await': 'off',
  '@typescript-eslint/no-empty-function': 'off',
  // Does not know `deferred<void>()`.
  '@typescript-eslint/no-invalid-void-type': 'off',
  // Brackets say that a key comes from outside: a header, an environment variable, a parsed document.
  '@typescript-eslint/dot-notation': 'off',
  // Spreading a string into its code points is the way to count them.
  '@typescript-eslint/no-misused-spread': ['error', { allow: ['string'] }],
  // Would turn `x as T` into `x!`, which the house forbids.
  '@typescript-eslint/non-nullable-type-assertion-style': 'off',
};

/** What is not the language itself. The core has none of it: time, chance and effects come in as arguments. */
const ambient = [
  ...['Buffer', 'clearImmediate', 'clearInterval', 'clearTimeout', 'console', 'crypto', 'Date', 'fetch', 'global'],
  ...['globalThis', 'performance', 'process', 'queueMicrotask', 'require', 'setImmediate', 'setInterval', 'setTimeout'],
  ...['structuredClone', 'TextDecoder', 'TextEncoder', 'URL', 'WebAssembly'],
];
const noChance = [{ object: 'Math', property: 'random', message: 'Chance comes from the injected Rng (base/rng.ts).' }];

export default defineConfig(
  { ignores: ['dist/', 'src/gen/', 'node_modules/', 'coverage/', '.cache/', '.quorate/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['src/**/*.ts', 'test/**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    ...house,
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: { ...everywhere, ...shape, ...typescript, 'house/opens-with-purpose': 'error' },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/cli/**', 'src/main.ts'],
    rules: { 'no-console': 'error' },
  },
  {
    files: ['src/base/**/*.ts', 'src/raft/**/*.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...ambient.map((name) => ({ name, message: 'The core is pure: pass it in (architecture §1.1).' })),
      ],
      'no-restricted-properties': ['error', ...noChance],
    },
  },
  {
    // Every member applies the same commands and must reach the same state.
    files: ['src/kv/**/*.ts'],
    rules: {
      'no-restricted-globals': ['error', { name: 'Date', message: 'Applying a command knows no time of day.' }],
      'no-restricted-properties': ['error', ...noChance],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // A test reads from top to bottom; its length is its number of cases.
      'max-lines-per-function': 'off',
      '@typescript-eslint/unbound-method': 'off',
      // Jest's matchers within a value (`expect.any(Number)`) are `any` by nature.
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      'house/opens-with-purpose': ['error', { doc: false }],
    },
  },
  {
    // The describe() says what it is for.
    files: ['test/**/*.test.ts'],
    rules: { 'house/opens-with-purpose': 'off' },
  },
  {
    // Plain JavaScript: scripts and configuration, without type information.
    files: ['**/*.mjs', '**/*.cjs', '*.js'],
    extends: [tseslint.configs.disableTypeChecked],
    ...house,
    languageOptions: {
      globals: Object.fromEntries(
        ['AbortController', 'Buffer', 'URL', '__dirname', 'clearInterval', 'clearTimeout', 'console', 'fetch', 'module']
          .concat(['performance', 'process', 'require', 'setInterval', 'setTimeout', 'structuredClone'])
          .map((name) => [name, 'readonly']),
      ),
    },
    rules: {
      ...everywhere,
      'max-lines': ['error', { max: 400 }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
      'no-undef': 'error',
      'no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      'house/opens-with-purpose': ['error', { doc: false }],
    },
  },
);
