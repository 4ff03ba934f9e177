import { createServer, connect, type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { launchIn, noFittings } from '../../../src/jobs/record/launch.ts';
import { dialHere } from '../../../src/jobs/record/probes/dial.ts';
import { healthcheckOf, stopSignalOf, tcpPortsOf } from '../../../src/jobs/record/probed.ts';
import { enterNetwork, launchBeside } from '../../../src/jobs/record/sandbox/beside.ts';
import { Gate, Publication } from '../../../src/jobs/record/sandbox/gate.ts';

const never = new AbortController().signal;

/** Listens on a loopback port, greets first as some protocols do, and sends back what it gets. */
async function greeter(): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.write('hello ');
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { port, [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())) };
}

describe('the way into a network', () => {
  it('hands connections over whole, also what the peer says first', async () => {
    await using server = await greeter();
    using gate = await Gate.open([]);
    const socket = await gate.dial(server.port, never);
    socket.end('you');
    expect(await text(socket)).toBe('hello you');
    await expect(gate.dial(1, never)).rejects.toThrow('ECONNREFUSED');
  });

  it('is an error where it cannot be entered, with what the helper said', async () => {
    await expect(Gate.open(['sh', '-c', 'echo no way >&2; exit 1'])).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('no way') as string,
    });
    await expect(Gate.open(['/nowhere/nsenter'])).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });

  it('rejects what is asked after its end', async () => {
    const gate = await Gate.open([]);
    gate[Symbol.dispose]();
    await expect(gate.dial(1, never)).rejects.toThrow('closed');
  });
});

describe('a published port', () => {
  it('relays both ways, and listens no longer than it is there', async () => {
    await using server = await greeter();
    const published = await Publication.open({ host: '127.0.0.1', from: 0, to: server.port }, dialHere);
    const port = Number(published.address.split(':')[1]);
    const socket = connect(port, '127.0.0.1');
    socket.end('you');
    expect(await text(socket)).toBe('hello you');
    await published[Symbol.asyncDispose]();
    await expect(dialHere(port, never)).rejects.toThrow('ECONNREFUSED');
  });

  it('that is taken is an error', async () => {
    await using server = await greeter();
    const taken = Publication.open({ host: '127.0.0.1', from: server.port, to: 1 }, dialHere);
    await expect(taken).rejects.toMatchObject({
      code: 'IO',
      message: expect.stringContaining('EADDRINUSE') as string,
    });
  });
});

describe('what runs beside a program', () => {
  const portable = { program: '/usr/bin/x', loader: '/lib64/ld.so', libraries: [] };
  const privileges = { capabilities: ['CAP_CHOWN', 'CAP_SETUID'], setpriv: portable, env: portable };
  const container = {
    root: '/r',
    cwd: '/srv',
    uid: 5,
    gid: 6,
    groups: [7],
    env: { A: 'b c' },
    network: 'private',
    hasCompany: true,
    fittings: noFittings,
  } as const;
  const alone = {
    kind: 'sandbox',
    by: 'bwrap',
    users: 'one',
    privileges,
    outside: ['unshare', '--map-root-user', '--'],
  } as const;
  const live = { command: 11, strace: 10 };

  it('as root enters its namespaces, and keeps no more rights than it', () => {
    const launch = launchIn(container, ['app'], {
      kind: 'sandbox',
      by: 'bwrap',
      users: 'all',
      privileges,
      outside: [],
    });
    expect(enterNetwork(launch, live)).toEqual(['nsenter', '--net=/proc/11/ns/net', '--']);
    const { argv, outside, execs } = launchBeside(launch, live, ['ping']);
    const words = argv.join(' ');
    expect(outside).toEqual([]);
    expect(words).toMatch(/^nsenter --mount=\/proc\/11\/ns\/mnt --pid=\/proc\/11\/ns\/pid /);
    expect(words).toContain('--bounding-set=-all,+chown,+setuid --reuid 5 --regid 6 --groups 7 ');
    expect(words).toContain('--no-new-privs');
    expect(words).toMatch(/env -i -C \/srv PATH=\S+ A=b c ping$/);
    expect(execs).toBe(4);
  });

  it('without root enters the namespace of users first, in which there is one user', () => {
    const launch = launchIn(container, ['app'], alone);
    const { argv, outside } = launchBeside(launch, live, ['ping']);
    expect(outside).toEqual(['nsenter', '--preserve-credentials', '--user=/proc/10/ns/user', '--']);
    expect(argv.join(' ')).not.toContain('--reuid');
  });

  it.each([
    ['bwrap', 5, true, false],
    ['bwrap', 0, true, true],
    ['unshare', 5, true, false],
    ['unshare', 0, false, true],
  ] as const)(
    'with one user, by %s as %i: enters his own namespace: %s, has rights to give up: %s',
    (by, id, isNested, isBounded) => {
      const launch = launchIn({ ...container, uid: id, gid: id }, ['app'], { ...alone, by });
      const beside = launchBeside(launch, live, ['ping']);
      const words = beside.argv.join(' ');
      expect(words.includes('nsenter --preserve-credentials ')).toBe(isNested);
      expect(words.includes(' --user=/proc/11/ns/user')).toBe(isNested);
      expect(words.includes('--bounding-set=-all,+chown,+setuid')).toBe(isBounded);
      expect(words).toContain('--no-new-privs');
      expect([beside.script, beside.mark]).toEqual([undefined, undefined]);
    },
  );

  it('needs programs of this system', () => {
    const launch = launchIn(container, ['app'], { ...alone, privileges: { ...privileges, env: null } });
    expect(() => launchBeside(launch, live, ['ping'])).toThrow('needs setpriv and env');
  });
});

it.each([
  ['SIGQUIT', 'SIGQUIT'],
  ['quit', 'SIGQUIT'],
  ['3', 'SIGQUIT'],
  ['', 'SIGTERM'],
  ['SIGNONE', 'SIGTERM'],
  ['RTMIN+3', 'SIGTERM'],
])('the stop signal %j is %s', (given, expected) => {
  expect(stopSignalOf(given)).toBe(expected);
});

it('exposed ports of TCP are knocked on, also ranges', () => {
  expect(tcpPortsOf(['80/tcp', '53/udp', '443', '8000-8002/tcp', '0', '99999', 'x', '1-60000'])).toEqual([
    80, 443, 8000, 8001, 8002,
  ]);
});

it.each([
  [['CMD', 'curl', 'x'], [], ['curl', 'x']],
  [['CMD-SHELL', 'curl x'], [], ['/bin/sh', '-c', 'curl x']],
  [
    ['CMD-SHELL', 'curl x'],
    ['/bin/ash', '-ec'],
    ['/bin/ash', '-ec', 'curl x'],
  ],
  [[], [], null],
  [['CMD'], [], null],
  [['odd', 'x'], [], null],
])('the health check %j, with the shell %j, is %j', (healthcheck, shell, expected) => {
  expect(healthcheckOf({ healthcheck, shell })).toEqual(expected);
});
