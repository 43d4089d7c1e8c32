import { toWireValue, wellFormed } from '../../../src/client/convert';
import { parseEndpoint, resolveOptions } from '../../../src/client/options';

describe('endpoints', () => {
  it.each([
    ['127.0.0.1:17000', '127.0.0.1:17000'],
    [' host ', 'host:2379'],
    ['http://quorate-0.quorate:2379/', 'quorate-0.quorate:2379'],
    ['[::1]:5', '[::1]:5'],
    ['[::1]', '[::1]:2379'],
  ])('%j is %s', (text, endpoint) => {
    expect(parseEndpoint(text)).toBe(endpoint);
  });

  it.each(['', ':1', 'a:', 'a:0', 'a:65536', 'a:b', '::1', 'a b:1', 'https://a:1', 'a:1/x'])(
    '%j is refused',
    (text) => {
      expect(() => parseEndpoint(text)).toThrow(expect.objectContaining({ code: 'invalid-argument' }) as Error);
    },
  );
});

describe('client options', () => {
  it('have defaults', () => {
    expect(resolveOptions({ endpoints: ['a'] })).toMatchObject({
      endpoints: ['a:2379'],
      timeoutMs: 5_000,
      maxAttempts: 10,
    });
  });

  it.each([{ endpoints: [] }, { endpoints: ['a'], timeoutMs: 0 }, { endpoints: ['a'], maxAttempts: 1.5 }])(
    'are checked: %j',
    (options) => {
      expect(() => resolveOptions(options)).toThrow(expect.objectContaining({ code: 'invalid-argument' }) as Error);
    },
  );
});

describe('keys and values on the wire', () => {
  it('text stays text and bytes stay bytes', () => {
    expect(toWireValue('ü')).toEqual({ $case: 'text', value: 'ü' });
    const window = new Uint8Array([9, 1, 2, 9]).subarray(1, 3);
    expect(toWireValue(window)).toEqual({ $case: 'data', value: Buffer.from([1, 2]) });
  });

  it('half of a surrogate pair is refused, since UTF-8 would turn it into another key', () => {
    expect(wellFormed('key', '😀')).toBe('😀');
    expect(() => wellFormed('key', 'a\ud800')).toThrow(expect.objectContaining({ code: 'invalid-argument' }) as Error);
  });
});
