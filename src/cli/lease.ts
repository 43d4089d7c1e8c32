/** `quorate lease`: grants leases, keeps them alive, shows and ends them. */
import type { Command } from 'commander';
import type { Lease } from '../client';
import { duration, given, leaseId, requestIdOption } from './arguments';
import { addClientOptions, runVerb, type ClientCommandOptions } from './client-command';
import { exitCode } from './exit-code';
import { durationForPeople, escapeControls, plural, tableLines, toJson } from './format';
import { lossSentence, waitHolding } from './holding';
import { exitWithUsage } from './usage';

interface GrantCommandOptions extends ClientCommandOptions {
  readonly id?: bigint;
  readonly requestId?: string;
}

export function registerLeaseCommand(program: Command): void {
  const group = exitWithUsage(program.command('lease')).description(
    'Leases: keys that end when their owner no longer says that it is there.',
  );
  registerGrant(group);
  registerRevoke(group);
  registerKeepAlive(group);
  registerGet(group);
  registerList(group);
}

function registerGrant(group: Command): void {
  const command = group
    .command('grant')
    .description('Make a lease, and print its id.')
    .argument('<ttl>', 'how long it lives unless it is renewed, such as 30s; rounded up to seconds', duration)
    .option('--id <id>', 'the id it shall have; default: a new one', leaseId)
    .addOption(requestIdOption());
  addClientOptions(command).action(async (ttlMs: number, options: GrantCommandOptions) => {
    await runVerb(options, async ({ client, json, write }) => {
      const lease = await client.leases.grant(ttlMs, given({ leaseId: options.id, requestId: options.requestId }));
      await write(json ? `${toJson(lease)}\n` : `${String(lease.leaseId)}\n`);
      return exitCode.ok;
    });
  });
}

function registerRevoke(group: Command): void {
  const command = group
    .command('revoke')
    .description('End a lease now, and delete its keys. Exits with 1 if there is no such lease.')
    .argument('<id>', 'its id', leaseId);
  addClientOptions(command).action(async (id: bigint, options: ClientCommandOptions) => {
    await runVerb(options, async ({ client, json, write }) => {
      const { revision } = await client.leases.revoke(id);
      await write(json ? `${toJson({ leaseId: id, revision })}\n` : `Revoked, revision ${String(revision)}\n`);
      return exitCode.ok;
    });
  });
}

function registerKeepAlive(group: Command): void {
  const command = group
    .command('keep-alive')
    .description(
      'Renew a lease, again and again until interrupted. Exits with 7 if it is lost, with 1 if there is none.',
    )
    .argument('<id>', 'its id', leaseId)
    .option('--once', 'renew it once');
  addClientOptions(command).action(async (id: bigint, options: ClientCommandOptions & { readonly once?: boolean }) => {
    await runVerb(options, async ({ client, json, write }) => {
      const [renewed] = await client.leases.renew([id]);
      if (renewed?.ttlMs === undefined) {
        process.stderr.write(`There is no lease ${String(id)}.\n`);
        return exitCode.negative;
      }
      const lease = { leaseId: id, ttlMs: renewed.ttlMs };
      await write(json ? `${toJson(lease)}\n` : `Renewed for ${durationForPeople(renewed.ttlMs)}\n`);
      if (options.once === true) return exitCode.ok;
      const { signal, stop } = client.leases.keepAlive(lease);
      const code = await waitHolding(signal);
      stop();
      if (signal.aborted) process.stderr.write(lossSentence('The lease', signal));
      return code;
    });
  });
}

function registerGet(group: Command): void {
  const command = group
    .command('get')
    .description('Show what is left of a lease, and its keys. Exits with 1 if there is no such lease.')
    .argument('<id>', 'its id', leaseId);
  addClientOptions(command).action(async (id: bigint, options: ClientCommandOptions) => {
    await runVerb(options, async ({ client, json, write }) => {
      const lease = await client.leases.get(id, { keys: true });
      const { ttlMs, remainingMs, keys, keyCount } = lease;
      const left = `${durationForPeople(remainingMs)} left of ${durationForPeople(ttlMs)}, ${plural(keyCount, 'key')}`;
      await write(json ? `${toJson(lease)}\n` : `${[left, ...keys.map(escapeControls)].join('\n')}\n`);
      return exitCode.ok;
    });
  });
}

function registerList(group: Command): void {
  const command = group.command('list').description('List all leases.');
  addClientOptions(command).action(async (options: ClientCommandOptions) => {
    await runVerb(options, async ({ client, json, write }) => {
      let count = 0;
      for await (const leases of client.leases.list()) {
        if (leases.length > 0) await write(`${leaseLines(leases, json, count === 0).join('\n')}\n`);
        count += leases.length;
      }
      if (!json) process.stderr.write(`${plural(count, 'lease')}\n`);
      return exitCode.ok;
    });
  });
}

function leaseLines(leases: readonly Lease[], json: boolean, isFirst: boolean): readonly string[] {
  if (json) return leases.map(toJson);
  const rows = leases.map((lease) => [String(lease.leaseId), durationForPeople(lease.ttlMs)]);
  return tableLines(isFirst ? [['LEASE', 'TTL'], ...rows] : rows);
}
