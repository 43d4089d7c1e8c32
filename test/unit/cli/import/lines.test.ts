import { entryOf, linesOf, type Line } from '../../../../src/cli/import/lines';

async function split(...chunks: readonly string[]): Promise<readonly Line[]> {
  async function* bytes(): AsyncGenerator<Buffer> {
    for (const chunk of chunks) yield Buffer.from(chunk);
  }
  const lines: Line[] = [];
  for await (const line of linesOf(bytes())) lines.push(line);
  return lines;
}

const line = (text: string): Line => ({ number: 7, text, endByte: 0 });

describe('lines of an import', () => {
  it('end at line feeds alone, wherever the chunks do', async () => {
    const lines = await split('a\nb', '', 'c', '\n', '\u2028\r\nlast');
    expect(lines.map(({ text }) => text)).toEqual(['a', 'bc', '\u2028\r', 'last']);
    expect(lines.map(({ number, endByte }) => [number, endByte])).toEqual([
      [1, 2],
      [2, 5],
      [3, 10],
      [4, 15],
    ]);
  });

  it('are none in an empty file', async () => {
    expect(await split()).toEqual([]);
    expect(await split('')).toEqual([]);
  });

  it('keep characters whole that two chunks share', async () => {
    const bytes = Buffer.from('ü\n');
    async function* halves(): AsyncGenerator<Buffer> {
      yield bytes.subarray(0, 1);
      yield bytes.subarray(1);
    }
    for await (const { text } of linesOf(halves())) expect(text).toBe('ü');
  });

  it('hold a key with text or bytes; the rest of what export writes is passed over', () => {
    expect(entryOf(line('{"key":"a","text":"","version":3}'))).toEqual({ key: 'a', value: '' });
    expect(entryOf(line('{"key":"a","data":"AP8="}'))).toEqual({ key: 'a', value: Buffer.from([0, 255]) });
  });

  it.each([
    ['', 'line 7 is no JSON'],
    ['[]', 'line 7 has no key'],
    ['null', 'line 7 is no JSON object'],
    ['{"key":"","text":"1"}', 'line 7 has no key'],
    ['{"key":"a"}', 'line 7 must have exactly one of'],
    ['{"key":"a","text":"1","data":""}', 'line 7 must have exactly one of'],
    ['{"key":"a","data":"???="}', 'line 7 must have exactly one of'],
  ])('are refused with their number: %j', (text, message) => {
    expect(() => entryOf(line(text))).toThrow(
      expect.objectContaining({ code: 'invalid-argument', message: expect.stringContaining(message) }) as Error,
    );
  });
});
