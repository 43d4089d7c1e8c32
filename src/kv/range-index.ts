/** Which of many ranges hold a key, without looking at all of them: how a change finds those who want to know of it. */
import { assert } from '../base/assert';
import { type Rng, seededRng } from '../base/rng';
import type { KeyRange } from './command';
import { keyToString } from './key-index';
import { isSingleKey } from './key-range';

/** A range as strings of latin1: their order is the order of the bytes. */
interface Span {
  readonly start: string;
  readonly end: string;
}

/** A node of the treap: ordered by start and end, a heap by priority. */
interface RangeNode<T> extends Span {
  readonly priority: number;
  readonly items: Set<T>;
  left: RangeNode<T> | undefined;
  right: RangeNode<T> | undefined;
  /** The greatest end in this subtree: where it is not above a key, no range below this node holds the key. */
  maxEnd: string;
}

/** After every key: no character of a latin1 string reaches it. */
const afterAllKeys = 'Ā';

/** Chance only balances the tree; what the index answers does not depend on it. */
const balanceSeed = 1;

/**
 * Items by the ranges they are about. Ranges of a single key, the usual ones, are looked up in a map; others in an interval
 * tree (a treap whose nodes know the greatest end below them). Equal ranges share a node, so that the depth depends on
 * how many different ranges there are: finding is O(log n + found), adding and removing O(log n).
 */
export class RangeIndex<T> {
  readonly #byKey = new Map<string, Set<T>>();
  readonly #rng: Rng = seededRng(balanceSeed);
  #root: RangeNode<T> | undefined;
  #size = 0;

  /** How many items there are. */
  get size(): number {
    return this.#size;
  }

  /** Adds an item, which must not be there under this range. An empty range is allowed, and never found. */
  add(range: KeyRange, item: T): void {
    this.#size++;
    if (isSingleKey(range)) addTo(this.#byKey, keyToString(range.start), item);
    else this.#root = insert(this.#root, newNode(spanOf(range), this.#rng.nextUint32(), item));
  }

  /** Removes an item that was added under this range. */
  remove(range: KeyRange, item: T): void {
    this.#size--;
    if (isSingleKey(range)) removeFrom(this.#byKey, keyToString(range.start), item);
    else this.#root = remove(this.#root, spanOf(range), item);
  }

  /** All items, in no order that means anything. */
  items(): T[] {
    const items: T[] = [];
    for (const set of this.#byKey.values()) for (const item of set) items.push(item);
    collect(this.#root, items);
    return items;
  }

  /** Visits the items whose range holds `key`, in no order that means anything. The visitor must not change the index. */
  visit(key: string, visitor: (item: T) => void): void {
    this.#byKey.get(key)?.forEach(visitor);
    visitSpans(this.#root, key, visitor);
  }
}

function spanOf({ start, end }: KeyRange): Span {
  return { start: keyToString(start), end: end === undefined ? afterAllKeys : keyToString(end) };
}

function addTo<T>(sets: Map<string, Set<T>>, key: string, item: T): void {
  const set = sets.get(key);
  if (set === undefined) sets.set(key, new Set([item]));
  else set.add(item);
}

function removeFrom<T>(sets: Map<string, Set<T>>, key: string, item: T): void {
  const set = sets.get(key);
  assert(set?.delete(item) === true, 'only what was added is removed');
  if (set.size === 0) sets.delete(key);
}

function newNode<T>({ start, end }: Span, priority: number, item: T): RangeNode<T> {
  return { start, end, priority, items: new Set([item]), left: undefined, right: undefined, maxEnd: end };
}

function insert<T>(root: RangeNode<T> | undefined, node: RangeNode<T>): RangeNode<T> {
  if (root === undefined) return node;
  const order = compare(node, root);
  if (order === 0) {
    for (const item of node.items) root.items.add(item);
    return root;
  }
  if (order < 0) {
    const left = insert(root.left, node);
    root.left = left;
    return left.priority > root.priority ? rotateRight(root, left) : refreshed(root);
  }
  const right = insert(root.right, node);
  root.right = right;
  return right.priority > root.priority ? rotateLeft(root, right) : refreshed(root);
}

function remove<T>(root: RangeNode<T> | undefined, span: Span, item: T): RangeNode<T> | undefined {
  assert(root !== undefined, 'only what was added is removed');
  const order = compare(span, root);
  if (order < 0) root.left = remove(root.left, span, item);
  else if (order > 0) root.right = remove(root.right, span, item);
  else {
    assert(root.items.delete(item), 'only what was added is removed');
    if (root.items.size === 0) return merged(root.left, root.right);
  }
  return refreshed(root);
}

/** Joins two subtrees; all of `left` is before all of `right`. */
function merged<T>(left: RangeNode<T> | undefined, right: RangeNode<T> | undefined): RangeNode<T> | undefined {
  if (left === undefined) return right;
  if (right === undefined) return left;
  if (left.priority > right.priority) {
    left.right = merged(left.right, right);
    return refreshed(left);
  }
  right.left = merged(left, right.left);
  return refreshed(right);
}

function rotateRight<T>(root: RangeNode<T>, left: RangeNode<T>): RangeNode<T> {
  root.left = left.right;
  left.right = refreshed(root);
  return refreshed(left);
}

function rotateLeft<T>(root: RangeNode<T>, right: RangeNode<T>): RangeNode<T> {
  root.right = right.left;
  right.left = refreshed(root);
  return refreshed(right);
}

function refreshed<T>(node: RangeNode<T>): RangeNode<T> {
  node.maxEnd = greater(node.end, greater(node.left?.maxEnd ?? '', node.right?.maxEnd ?? ''));
  return node;
}

function visitSpans<T>(node: RangeNode<T> | undefined, key: string, visitor: (item: T) => void): void {
  if (node === undefined || node.maxEnd <= key) return;
  visitSpans(node.left, key, visitor);
  if (node.start > key) return;
  if (key < node.end) node.items.forEach(visitor);
  visitSpans(node.right, key, visitor);
}

function collect<T>(node: RangeNode<T> | undefined, items: T[]): void {
  if (node === undefined) return;
  collect(node.left, items);
  for (const item of node.items) items.push(item);
  collect(node.right, items);
}

function compare(a: Span, b: Span): number {
  if (a.start !== b.start) return a.start < b.start ? -1 : 1;
  return a.end === b.end ? 0 : a.end < b.end ? -1 : 1;
}

function greater(a: string, b: string): string {
  return a > b ? a : b;
}
