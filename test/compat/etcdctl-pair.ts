/** etcdctl against three members of etcd and of quorate at once: what it says has to be the same. */
import { type Background, type Ended, Etcdctl, linesOf } from '../support/etcdctl';
import { EtcdCluster } from '../support/foreign';
import { ProcessCluster } from '../support/process-cluster';
import type { Line } from './etcdctl-scripts';

function parsed(line: Line): { readonly args: readonly string[]; readonly input: string } {
  const [command = '', input = ''] = line.split(' < ');
  return { args: command.split(' '), input: input.replaceAll('\\n', '\n') };
}

/** Members are listed in the order of their ids, which no two clusters share. */
function inOrder([verb]: readonly string[], ended: Ended): Ended {
  return verb === 'member' ? { ...ended, stdout: ended.stdout.split('\n').sort().join('\n') } : ended;
}

export class EtcdctlPair {
  readonly etcd: EtcdCluster;
  readonly quorate: ProcessCluster;
  /** Of etcd, and of quorate. */
  readonly sides: readonly [Etcdctl, Etcdctl];

  private constructor(program: string, etcd: EtcdCluster, quorate: ProcessCluster) {
    this.etcd = etcd;
    this.quorate = quorate;
    const addresses = quorate.members.map(({ clientAddress }) => clientAddress);
    this.sides = [new Etcdctl(program, etcd.addresses), new Etcdctl(program, addresses)];
  }

  static async start(server: string, client: string): Promise<EtcdctlPair> {
    const [etcd, quorate] = await Promise.all([EtcdCluster.start(server, 3), ProcessCluster.start()]);
    return new EtcdctlPair(client, etcd, quorate);
  }

  /** Runs a command on both; it has to say and do the same. */
  async same(line: Line): Promise<Ended> {
    const { args, input } = parsed(line);
    const [ofEtcd, ofQuorate] = await Promise.all([this.sides[0].run(args, input), this.sides[1].run(args, input)]);
    expect({ line, ...inOrder(args, ofQuorate) }).toEqual({ line, ...inOrder(args, ofEtcd) });
    return ofEtcd;
  }

  /** Starts a command on both that goes on; stops it after so many lines, with other commands in between. */
  async sameInBackground(line: Line, lines: number, between: () => Promise<void>): Promise<void> {
    const running: readonly Background[] = this.sides.map((side) => side.start(parsed(line).args));
    await between();
    for (const background of running) await background.lines(lines);
    for (const background of running) background.interrupt();
    const [ofEtcd, ofQuorate] = await Promise.all(running.map((background) => background.ended()));
    expect({ line, ...ofQuorate }).toEqual({ line, ...ofEtcd });
    // Fewer lines than there are would stop one of them in the middle, now and then.
    expect(linesOf(ofEtcd?.stdout ?? '')).toBe(lines);
  }

  async stop(): Promise<void> {
    for (const side of this.sides) side.stop();
    await Promise.all([this.etcd.stop(), this.quorate.stop()]);
  }
}
