/** Every example of docs/api.md, in its order, against a cluster of real processes, by server reflection. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { apiExamples, type ApiExample } from '../support/api-examples';
import { ProcessCluster } from '../support/process-cluster';

const buf = join(__dirname, '../../node_modules/.bin/buf');

/** What a command said. */
interface Output {
  readonly out: string;
  readonly err: string;
  readonly failed: boolean;
}

/** `buf curl` knows the same calls as grpcurl, and comes with the packages of this project. */
function run({ method, maxSeconds }: ApiExample, data: string, address: string): Promise<Output> {
  const args = ['curl', '--protocol', 'grpc', '--http2-prior-knowledge', '--emit-defaults', '-d', data];
  if (maxSeconds !== undefined) args.push('--timeout', `${String(maxSeconds + 3)}s`);
  return new Promise((resolve) => {
    execFile(buf, [...args, `http://${address}/${method}`], { maxBuffer: 2 ** 26 }, (error, out, err) => {
      resolve({ out, err, failed: error !== null });
    });
  });
}

function newRequestId(): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** What later examples use, in the answers of earlier ones. */
const remembered = {
  PAGE_TOKEN: /"nextPageToken": ?"([^"]+)"/g,
  RESUME_TOKEN: /"resumeToken": ?"([^"]+)"/g,
  FENCING_TOKEN: /"fencingToken": ?"(\d+)"/g,
} as const;

let cluster: ProcessCluster;

beforeAll(async () => (cluster = await ProcessCluster.start()), 60_000);
afterAll(() => cluster.stop(), 60_000);

it('does what it says, one example after the other', async () => {
  const { clientAddress } = await cluster.leader();
  const values: Record<string, string> = {};
  const wrong: string[] = [];
  for (const example of apiExamples()) {
    values.REQUEST_ID = newRequestId();
    const data = example.data.replaceAll(/\$([A-Z_]+)/g, (_, name: string) => values[name] ?? '');
    const output = await run(example, data, clientAddress);
    for (const [name, form] of Object.entries(remembered)) {
      const found = [...output.out.matchAll(form)].at(-1)?.[1];
      if (found !== undefined) values[name] = found;
    }
    const added = /"member": ?\{\s*"id": ?"(\d+)",\s*"name": ?"m4"/.exec(output.out)?.[1];
    if (added !== undefined) values.MEMBER_ID = added;
    // A call that lasts is ended by its time; it must have said something until then.
    const isRight = example.maxSeconds === undefined ? output.failed === example.isRefused : output.out !== '';
    if (!isRight) wrong.push(`${example.line}\n${output.out}${output.err}`);
  }
  expect(wrong).toEqual([]);
}, 300_000);
