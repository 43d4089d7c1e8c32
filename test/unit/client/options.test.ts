import { readFileSync } from 'node:fs';
import { toWireValue, wellFormed } from '../../../src/client/convert';
import { parseEndpoint, resolveOptions, type ClientOptions } from '../../../src/client/options';
import { TestAuthority } from '../../support/certificates';
import { shownOf } from '../../support/https-caller';

describe('endpoints', () => {
  it.each([
    ['127.0.0.1:17000', '127.0.0.1:17000'],
    [' host ', 'host:2379'],
    ['http://quorate-0.quorate:2379/', 'quorate-0.quorate:2379'],
    ['[::1]:5', '[::1]:5'],
    ['[::1]', '[::1]:2379'],
    ['https://a:1', 'a:1'],
  ])('%j is %s', (text, endpoint) => {
    expect(parseEndpoint(text)).toBe(endpoint);
  });

  it.each(['', ':1', 'a:', 'a:0', 'a:65536', 'a:b', '::1', 'a b:1', 'ftp://a:1', 'https://', 'a:1/x'])(
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

describe('TLS', () => {
  let authority: TestAuthority;
  let shown: { readonly ca: string; readonly cert?: string; readonly key?: string };
  let otherKey: string;

  beforeAll(() => {
    authority = new TestAuthority();
    shown = shownOf(authority.ca, authority.issue('client'));
    otherKey = readFileSync(authority.issue('other').keyFile, 'utf8');
  });
  afterAll(() => {
    authority.remove();
  });

  const isTls = (endpoints: readonly string[], tls?: ClientOptions['tls']) =>
    resolveOptions({ endpoints, ...(tls === undefined ? {} : { tls }) }).tls !== undefined;

  it('is spoken with all endpoints, or with none', () => {
    expect(isTls(['a', 'b'])).toBe(false);
    expect(isTls(['a'], false)).toBe(false);
    expect(isTls(['http://a', 'b'])).toBe(false);
    expect(isTls(['https://a', 'b'])).toBe(true);
    expect(isTls(['a'], true)).toBe(true);
    expect(isTls(['a'], { ca: Buffer.from(authority.ca) })).toBe(true);
    expect(isTls(['a'], shown)).toBe(true);
    expect(() => isTls(['https://a', 'http://b'])).toThrow('others have https://');
    expect(() => isTls(['http://a'], true)).toThrow('the option tls is given');
  });

  it.each<[string, () => ClientOptions['tls'], string]>([
    ['authorities that are none', () => ({ ca: 'x' }), 'tls.ca holds no certificate'],
    [
      'a certificate that is cut',
      () => ({ ca: authority.ca.replace(/\n..../, '\n') }),
      'tls.ca holds a certificate that cannot',
    ],
    ['a key alone', () => ({ key: otherKey }), 'tls.cert is missing'],
    ['a certificate alone', () => ({ cert: authority.ca }), 'tls.key is missing'],
    ['a key that is none', () => ({ ...shown, key: 'x' }), 'tls.key holds no key'],
    ['the key of another', () => ({ ...shown, key: otherKey }), 'tls.key does not belong to tls.cert'],
    ['an empty name', () => ({ serverName: ' ' }), 'tls.serverName is empty'],
  ])('refuses %s', (_what, tls, message) => {
    expect(() => isTls(['a'], tls())).toThrow(message);
  });
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
