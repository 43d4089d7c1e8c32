/* global expect, jest */
// How long a single test may take, by its kind. Jest takes `testTimeout` only for all projects together.
const seconds = {
  unit: 10,
  paper: 10,
  scenarios: 10,
  contract: 20,
  property: 60,
  sim: 120,
  integration: 120,
  compat: 120,
  campaign: 600,
};

const kind = /[\\/]test[\\/](\w+)[\\/]/.exec(expect.getState().testPath)?.[1];
jest.setTimeout(1000 * (seconds[kind] ?? 10));
