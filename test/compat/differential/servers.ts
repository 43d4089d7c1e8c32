/** Pairs of servers to compare, on disks that are memory: durability is not what is compared. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { EtcdCluster, fastDirectory } from '../../support/foreign';
import { ProcessCluster } from '../../support/process-cluster';
import type { Servers } from './lane';
import { Target } from './target';

/** Debian's etcd, and one member of quorate. */
export async function etcdAndQuorate(program: string): Promise<Servers> {
  const directory = mkdtempSync(join(fastDirectory, 'quorate-differential-'));
  const dataDirOf = (name: string): string => join(directory, name);
  const [etcd, quorate] = await Promise.all([
    EtcdCluster.start(program),
    ProcessCluster.start({ members: 1, dataDirOf }),
  ]);
  const address = quorate.members[0]?.clientAddress ?? '';
  const targets = [new Target('etcd', etcd.address), new Target('quorate', address)] as const;
  return {
    targets,
    stop: async () => {
      for (const target of targets) target.close();
      const hasEnded = quorate.members[0]?.process === undefined;
      if (hasEnded) process.stderr.write(`quorate ended by itself: ${lastWords(join(quorate.directory, 'm1.log'))}\n`);
      await Promise.all([etcd.stop(), quorate.stop()]);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function lastWords(log: string): string {
  return readFileSync(log, 'utf8').slice(-3000);
}

/**
 * The same etcd twice: they agree, unless the comparison itself is wrong.
 *
 * @param another makes the second one, if it is not to be honest
 */
export async function etcdTwice(
  program: string,
  another: (name: string, address: string) => Target = (name, address) => new Target(name, address),
): Promise<Servers> {
  const [one, other] = await Promise.all([EtcdCluster.start(program), EtcdCluster.start(program)]);
  const targets = [new Target('etcd', one.address), another('another etcd', other.address)] as const;
  return {
    targets,
    stop: async () => {
      for (const target of targets) target.close();
      await Promise.all([one.stop(), other.stop()]);
    },
  };
}
