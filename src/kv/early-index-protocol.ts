/** What the worker that reads the index early tells the main thread. */
import type { HeadPage } from './head-page';
import type { MetaFacts } from './sqlite-meta';

/** What the worker is started with. */
export interface EarlyIndexOptions {
  readonly path: string;
}

/** All pages in their order, and then the counters of the state that they are of; or why not. */
export type EarlyIndexMessage =
  | { readonly kind: 'page'; readonly page: HeadPage }
  | { readonly kind: 'done'; readonly facts: MetaFacts }
  | { readonly kind: 'failed'; readonly reason: string };
