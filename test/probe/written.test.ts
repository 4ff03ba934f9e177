import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OcislimError } from '../../src/errors.ts';
import { nameOfProbe } from '../../src/probe/probe.ts';
import { parseContinue, parseNetworkProbe, parseReady } from '../../src/probe/written.ts';

const parse = (text: string) => parseNetworkProbe(text, '--http-probe');

describe('a probe as it is written', () => {
  it.each([
    ['/', { kind: 'http', method: 'GET', scheme: null, port: null, path: '/', status: null }],
    [':8080', { method: 'GET', port: 8080, path: '/' }],
    ['post :8080/login =>303', { method: 'POST', port: 8080, path: '/login', status: 303 }],
    ['https://:8443/a?b=c', { scheme: 'https', port: 8443, path: '/a?b=c' }],
    ['http://localhost:80/x', { scheme: 'http', port: 80, path: '/x' }],
    ['http://127.0.0.1/', { scheme: 'http', port: null }],
    ['HEAD /', { method: 'HEAD' }],
    ['tcp://:6379', { kind: 'tcp', port: 6379 }],
    ['grpc://:50051/my.Service', { kind: 'grpc', port: 50_051, path: 'my.Service' }],
    ['grpc://:50051', { kind: 'grpc', path: '' }],
  ])('%j is read', (text, expected) => {
    expect(parse(text)).toMatchObject({ origin: 'option', ...expected });
  });

  it.each([
    '',
    'x',
    'http://example.com/',
    ':0',
    ':70000',
    'FETCH /',
    '/ =>20',
    '/ /b',
    'GET tcp://:1',
    'tcp://:1 =>200',
    '/#fragment',
  ])('%j is refused', (text) => {
    expect(() => parse(text)).toThrow(/^--http-probe: /);
  });

  it('is read again from its name as the same, but for a scheme that was left open', () => {
    const written = fc.record({
      method: fc.constantFrom('GET', 'POST', 'DELETE'),
      scheme: fc.constantFrom('http://', 'https://'),
      port: fc.integer({ min: 1, max: 65_535 }),
      path: fc.webPath(),
    });
    fc.assert(
      fc.property(written, ({ method, scheme, port, path }) => {
        const probe = parse(`${method} ${scheme}:${port}${path}`);
        expect(parse(nameOfProbe(probe))).toEqual(probe);
      }),
    );
  });

  it.each([
    ['false', 'Leave it out: without a probe, every port that the image exposes is asked.'],
    ['GET:/healthz', 'Write "GET /healthz".'],
    ['crawl:/', 'Write "/", and --http-crawl.'],
    ['crawl:https:get:/x y', 'Write "GET https:///x%20y", and --http-crawl.'],
    ['frobnicate', 'Write [METHOD] [http[s]://][:PORT]/PATH'],
  ])('for SlimToolkit gets the way to write it here: %j', (text, told) => {
    expect(() => parse(text)).toThrow(
      expect.objectContaining({ code: 'USAGE', advice: expect.stringContaining(told) as string }),
    );
  });

  it('of any text is a probe, or a mistake that names the option', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        for (const read of [parseNetworkProbe, parseReady, parseContinue])
          try {
            expect(read(text, '--option')).toBeDefined();
          } catch (error) {
            expect(error).toBeInstanceOf(OcislimError);
            expect((error as Error).message).toContain('--option');
          }
      }),
    );
  });
});

it.each([
  ['8080', { kind: 'port', port: 8080 }],
  [':80', { kind: 'port', port: 80 }],
  ['5s', { kind: 'seconds', seconds: 5 }],
  ['/healthz', { kind: 'path', path: '/healthz' }],
  ['ready to accept \\w+', { kind: 'log', pattern: 'ready to accept \\w+' }],
])('readiness %j is read', (text, expected) => {
  expect(parseReady(text, '--ready')).toEqual(expected);
});

it.each(['', '70000', '0', '('])('readiness %j is refused', (text) => {
  expect(() => parseReady(text, '--ready')).toThrow('--ready');
});

it('a run continues until a word or a time says so', () => {
  expect(parseContinue('enter', '--continue-after')).toEqual({ kind: 'enter' });
  expect(parseContinue('2.5', '--continue-after')).toEqual({ kind: 'seconds', seconds: 2.5 });
  expect(() => parseContinue('timeout', '--continue-after')).toThrow(
    'takes enter, signal, probe, exec or seconds',
  );
});
