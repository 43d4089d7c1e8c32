/** What a child process says over its channel. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/**
 * What a child says next. Fails at once if it ends instead, so that a test does not wait out its time for a word that
 * never comes.
 */
export async function wordOf<Word>(child: ChildProcess): Promise<Word> {
  const settled = new AbortController();
  const { signal } = settled;
  const ended = once(child, 'exit', { signal }).then(([code, ending]) => {
    throw new Error(`${child.spawnargs.join(' ')} ended with ${String(code ?? ending)} instead of a word`);
  });
  ended.catch(() => undefined);
  try {
    const [word] = (await Promise.race([once(child, 'message', { signal }), ended])) as [Word];
    return word;
  } finally {
    settled.abort();
  }
}
