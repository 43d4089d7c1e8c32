/** Real processes whose peer connections run through proxies, one for each ordered pair, that can be cut. */
import { Proxy } from './peer-stand-ins';
import { newMembers, ProcessCluster, type ProcessClusterOptions, type ProcessMember } from './process-cluster';

interface Link {
  readonly from: string;
  readonly to: string;
  readonly proxy: Proxy;
  readonly address: string;
}

export class LinkedCluster extends ProcessCluster {
  readonly #links: readonly Link[];

  private constructor(
    members: readonly ProcessMember[],
    links: readonly Link[],
    options: Omit<ProcessClusterOptions, 'peerAddressOf'>,
  ) {
    const peerAddressOf = (from: string, to: string): string =>
      links.find((link) => link.from === from && link.to === to)?.address ?? '';
    super(members, { ...options, peerAddressOf });
    this.#links = links;
  }

  /** Starts all members, every pair connected, and waits for a leader. */
  static override async start(options: ProcessClusterOptions = {}): Promise<LinkedCluster> {
    const members = await newMembers(options.members ?? 3);
    const links: Link[] = [];
    for (const from of members) {
      for (const to of members) {
        if (from === to) continue;
        const { proxy, port } = await Proxy.listen();
        proxy.target = Number(to.peerAddress.split(':')[1]);
        links.push({ from: from.name, to: to.name, proxy, address: `127.0.0.1:${String(port)}` });
      }
    }
    const cluster = new LinkedCluster(members, links, options);
    await cluster.startAll();
    return cluster;
  }

  /** Nothing gets from or to this member any more, and nobody is told, as behind a pulled cable. */
  isolate({ name }: ProcessMember): void {
    for (const { from, to, proxy } of this.#links) if (from === name || to === name) proxy.freeze();
  }

  /** Every pair is connected again: anew, since the old connections have lost bytes. */
  heal(): void {
    for (const { proxy } of this.#links) proxy.cut();
  }

  override async stop(): Promise<void> {
    await super.stop();
    for (const { proxy } of this.#links) proxy.close();
  }
}
