import { expect, test } from 'vitest';
import { isLocal, isLoopback, publicLookup, redact, serverOf } from '../../../src/registry/http/address.ts';

const hosts = (test: (url: URL) => boolean, list: readonly string[]): readonly string[] =>
  list.filter((host) => test(new URL(`http://${host}/`)));

test('every way to write a loopback address is this machine', () => {
  const yes = [
    'localhost',
    'LOCALHOST:5000',
    'a.localhost',
    '127.0.0.1:5000',
    '127.9.9.9',
    '2130706433',
    '0x7f.1',
    '[::1]:5000',
    '[::ffff:127.0.0.1]',
  ];
  const no = [
    'localhost.example',
    'notlocalhost',
    '128.0.0.1',
    '0.0.0.0',
    '10.0.0.1',
    '169.254.169.254',
    '[::]',
    '[fe80::1]',
    'registry.example',
  ];
  expect(hosts(isLoopback, [...yes, ...no])).toEqual(yes);
});

test('N3: local addresses are those that only this machine and its network reach', () => {
  const yes = [
    'localhost',
    '127.0.0.1',
    '0.0.0.0',
    '169.254.169.254',
    '[::]',
    '[::1]',
    '[fe80::1]',
    '[::ffff:169.254.169.254]',
    '2852039166',
    '[fd00:ec2::254]',
  ];
  // Private networks are where companies keep their registries.
  const no = ['10.0.0.1', '192.168.1.1', '172.16.0.1', '8.8.8.8', '[2001:db8::1]', 'registry.example'];
  expect(hosts(isLocal, [...yes, ...no])).toEqual(yes);
});

test('N3: a name that stands for a local address is refused when connecting', async () => {
  const look = (name: string, all: boolean): Promise<unknown> =>
    new Promise((resolve) =>
      publicLookup(name, { all, family: 0 }, (error, address) => resolve(error?.code ?? address)),
    );
  expect(await look('localhost', true)).toBe('ELOCALADDRESS');
  expect(await look('localhost', false)).toBe('ELOCALADDRESS');
  expect(await look('192.0.2.7', true)).toEqual([{ address: '192.0.2.7', family: 4 }]);
  expect(await look('192.0.2.7', false)).toBe('192.0.2.7');
});

test('N15: URLs in messages carry no secrets', () => {
  expect(redact(new URL('https://user:pass@cdn.example:8443/a/b?X-Amz-Signature=s3cret#frag'))).toBe(
    'https://cdn.example:8443/a/b?…',
  );
  expect(redact(new URL('http://h/a'))).toBe('http://h/a');
});

test('only Docker Hub has another server than its name', () => {
  expect(['docker.io', 'quay.io', 'localhost:5000'].map(serverOf)).toEqual([
    'registry-1.docker.io',
    'quay.io',
    'localhost:5000',
  ]);
});
