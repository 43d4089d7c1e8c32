import { describeSeeds } from '../support/seed-stretches';

describeSeeds([1, 2, 3]);
