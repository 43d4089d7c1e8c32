/** The grpcurl examples of docs/api.md, as commands that a test can run. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One line of the document. */
export interface ApiExample {
  readonly line: string;
  /** `quorate.v1.Service/Method`. */
  readonly method: string;
  /** Zero or more JSON documents, with `$NAMES` to be filled in. */
  readonly data: string;
  /** Seconds after which it is ended, for calls that last. */
  readonly maxSeconds: number | undefined;
  /** The document says that it is refused. */
  readonly isRefused: boolean;
}

const form =
  /^grpcurl -plaintext(?: -max-time (?<time>\d+))? -d '(?<data>[^']*)' 127\.0\.0\.1:2379 (?<method>[\w.]+\/\w+)(?<refused> # refused .*)?$/;

/** All of them, in the order of the document. A line that begins with `grpcurl` and has another form is an error. */
export function apiExamples(): ApiExample[] {
  const text = readFileSync(join(__dirname, '../../docs/api.md'), 'utf8');
  const lines = text.split('\n').filter((line) => line.startsWith('grpcurl '));
  return lines.map((line) => {
    const groups = form.exec(line)?.groups;
    if (groups === undefined) throw new Error(`an example of another form: ${line}`);
    const { time, data = '', method = '', refused } = groups;
    const maxSeconds = time === undefined ? undefined : Number(time);
    return { line, method, data, maxSeconds, isRefused: refused !== undefined };
  });
}
