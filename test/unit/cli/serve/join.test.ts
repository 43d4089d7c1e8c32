import { placeIn, type Answer } from '../../../../src/cli/serve/join';

const member = (name: string, id: bigint) => ({
  id,
  name,
  peerAddress: 'p:1',
  clientAddress: 'c:1',
  standing: 'learner' as const,
});
const answer = (clusterId: bigint, ...members: readonly ReturnType<typeof member>[]): Answer => ({
  clusterId,
  members,
  leaderId: 1n,
});
const place = (...answers: readonly Answer[]) => placeIn('m4', ['a:1', 'b:1'], answers);

describe('the place of a new member', () => {
  it('is where a member lists its name, even if others are silent or do not know yet', () => {
    const found = place({ error: 'down' }, answer(9n, member('m1', 1n)), answer(9n, member('m4', 77n)));
    expect(found).toEqual({ kind: 'place', place: { clusterId: 9n, self: member('m4', 77n) } });
  });

  it('is not there while nobody lists it, and the command that makes one is named', () => {
    expect(place(answer(9n, member('m1', 1n)))).toMatchObject({
      kind: 'nothing-yet',
      message: expect.stringMatching(/no member m4; .*quorate member add/) as string,
    });
  });

  it('is not certain while it is listed twice, by one member or by two of different knowledge (M7)', () => {
    expect(place(answer(9n, member('m4', 4n), member('m4', 77n)))).toMatchObject({ kind: 'nothing-yet' });
    expect(place(answer(9n, member('m4', 4n)), answer(9n, member('m4', 77n)))).toMatchObject({ kind: 'nothing-yet' });
  });

  it('is not found when nobody answers, and the reasons are told', () => {
    expect(place({ error: 'no route' }, { error: 'refused' })).toMatchObject({
      message: 'nobody answers there: no route; refused',
    });
  });

  it('is refused between two clusters', () => {
    expect(() => place(answer(9n, member('m4', 4n)), answer(8n))).toThrow(/belong to different clusters/);
  });
});
