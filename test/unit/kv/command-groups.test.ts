/** Commands of several callers in one entry, and its result taken apart. */
import { BatchEncoder, encodeCommand, joinCommands } from '../../../src/kv/command-codec';
import { commandGroups } from '../../../src/kv/command-groups';
import { openKvStateMachine } from '../../../src/kv/state-machine';
import { del, put } from '../../support/kv-entries';

const commands = [put('a', '1'), del('b'), put('c', '3')];

function batchOf(): Buffer {
  const encoder = new BatchEncoder();
  for (const command of commands) encoder.add(command);
  return encoder.finish();
}

describe('commandGroups', () => {
  it('joins commands to the entry that a batch of them is', () => {
    expect(commandGroups.join(commands.map(encodeCommand))).toEqual(batchOf());
  });

  it('lets single commands share an entry, and nothing else', () => {
    expect(commands.map(encodeCommand).every(commandGroups.mayShare)).toBe(true);
    expect([batchOf(), Buffer.from([1, 0]), Buffer.alloc(0)].some(commandGroups.mayShare)).toBe(false);
    expect(() => joinCommands([batchOf(), encodeCommand(del('a'))])).toThrow('single commands make a batch');
  });

  it('gives each command its result', async () => {
    const machine = openKvStateMachine({ path: ':memory:', clusterId: 1n });
    const payload = commandGroups.join(commands.map(encodeCommand));
    const [result] = machine.apply([{ index: 1, term: 1, kind: 'command', payload }]);
    if (result === undefined) throw new Error('a command has a result');
    expect(commandGroups.split(result)).toMatchObject([
      { kind: 'put', revision: 2 },
      { kind: 'delete', revision: 2, deleted: 0 },
      { kind: 'put', revision: 3 },
    ]);
    await machine.close();
  });
});
