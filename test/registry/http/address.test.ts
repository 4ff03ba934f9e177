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

test.each<readonly [string, readonly string[]]>([
  ['the metadata of a cloud', ['168.63.129.16', '192.0.0.192', '100.100.100.200', '169.254.170.2']],
  ['the metadata of a cloud', ['[fd20:ce::254]', '[fd00:ec2::23]', '[fd00:c1::a9fe:a9fe]', '[fd00:42::42]']],
  ['a group or a broadcast', ['224.0.0.251', '239.255.255.250', '240.0.0.1', '255.255.255.255', '[ff02::1]']],
  ['an IPv4-compatible address', ['[::127.0.0.1]', '[::169.254.169.254]']],
  ['an IPv4-mapped address', ['[::ffff:127.0.0.1]', '[::ffff:168.63.129.16]', '[::ffff:0.0.0.0]']],
  ['an IPv4-translated address', ['[::ffff:0:127.0.0.1]']],
  ['an address behind NAT64', ['[64:ff9b::127.0.0.1]', '[64:ff9b::169.254.169.254]']],
  ['an address behind a local NAT64', ['[64:ff9b:1::127.0.0.1]', '[64:ff9b:1:7f00:0:100::]']],
  ['an address behind a local NAT64', ['[64:ff9b:1:ff7f:0:1::]', '[64:ff9b:1:0:7f:0:100:0]']],
  ['a 6to4 network', ['[2002:7f00::]', '[2002:7f00:1::1]', '[2002:a9fe:a9fe::1]', '[2002:a83f:8110::]']],
  ['a Teredo server', ['[2001:0:7f00:1::1]']],
  ['a Teredo client', ['[2001:0:808:808::80ff:fffe]']],
])('N3: %s is local, however it is written: %j', (_, list) => {
  expect(hosts(isLocal, list)).toEqual(list);
});

test('N3: addresses that stand for others are not local by themselves', () => {
  const no = [
    '[::8.8.8.8]',
    '[::ffff:8.8.8.8]',
    '[::ffff:0:8.8.8.8]',
    '[64:ff9b::8.8.8.8]',
    '[64:ff9b::10.0.0.1]',
    '[2002:808:808::7f00:1]',
    '[2001:0:808:808::f7f7:f7f7]',
    '[2001:db8::127.0.0.1]',
    '[fd00::1]',
    '[fd20:ce:0:1::254]',
    '192.0.1.1',
    '192.0.2.1',
    '168.63.129.17',
    '100.64.0.1',
    '223.255.255.255',
    '198.18.0.1',
  ];
  expect(hosts(isLocal, no)).toEqual([]);
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
