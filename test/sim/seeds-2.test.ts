import { describeSeeds } from '../support/seed-stretches';

describeSeeds([4, 5, 6]);
