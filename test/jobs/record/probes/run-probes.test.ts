import { createServer, type RequestListener } from 'node:http';
import { createServer as createHttp2, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, createServer as createTcp, type Server as TcpServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { dialHere } from '../../../../src/jobs/record/probes/dial.ts';
import { type ProbeRun, runProbes } from '../../../../src/jobs/record/probes/run-probes.ts';
import { parseNetworkProbe } from '../../../../src/probe/written.ts';
import type { ExecProbe, ProbePlan } from '../../../../src/probe/probe.ts';

const open: TcpServer[] = [];
const sockets = new Set<Socket>();
afterEach(async () => {
  for (const server of open.splice(0)) {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function listen(server: TcpServer): Promise<number> {
  open.push(server);
  server.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const serve = (listener: RequestListener): Promise<number> => listen(createServer(listener));
const quick = { answer: 20_000, retry: 1, interval: 1, patience: 20_000 };
const nothing: ProbePlan = { probes: [], crawl: false, apis: [], ready: null, continueAfter: null, after: 0 };

function run(plan: Partial<ProbePlan>, more: Partial<ProbeRun> = {}) {
  return runProbes({
    plan: { ...nothing, ...plan },
    dial: dialHere,
    exec: () => Promise.reject(new Error('nothing runs here')),
    ports: [],
    signal: new AbortController().signal,
    healthcheck: null,
    knocks: true,
    logged: () => Promise.resolve(),
    times: quick,
    ...more,
  });
}

const probe = (text: string) => parseNetworkProbe(text, 'test');
const hello = 'sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';

describe('HTTP', () => {
  it('is asked as the probe says, and status, length and digest of the body are noted', async () => {
    const seen: string[] = [];
    const port = await serve((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        seen.push(
          `${request.method} ${request.url} ${request.headers.host} ${Buffer.concat(chunks).toString()}`,
        );
        response.writeHead(request.url === '/gone' ? 410 : 200).end('hello');
      });
    });
    const results = await run({
      probes: [
        { ...probe(`POST :${port}/x?y`), headers: { a: 'b' }, body: 'text' },
        probe(`:${port}/gone`),
        { ...probe(`:${port}/gone =>200`), retries: 2 },
      ],
    });
    expect(results).toMatchObject([
      {
        kind: 'http',
        name: `POST http://:${port}/x?y`,
        status: 200,
        length: 5,
        digest: hello,
        ok: true,
        error: null,
      },
      { status: 410, ok: true },
      { status: 410, ok: false, error: 'it answers with 410, not 200' },
    ]);
    expect(seen).toEqual([
      `POST /x?y localhost:${port} text`,
      ...Array.from({ length: 4 }, () => `GET /gone localhost:${port} `),
    ]);
  });

  it('is waited for, and asked again while it is not ready', async () => {
    let asked = 0;
    const port = await serve((_, response) => response.writeHead(++asked < 3 ? 503 : 200).end());
    let dialled = 0;
    const dial: ProbeRun['dial'] = (to, signal) =>
      ++dialled < 5 ? Promise.reject(new Error('refused')) : dialHere(to, signal);
    const results = await run({ probes: [probe(`:${port}/`)] }, { dial });
    expect(results).toMatchObject([{ status: 200, ok: true }]);
    expect(asked).toBe(3);
  });

  it('of a peer that does not speak it is an error; a port that is only knocked on need not', async () => {
    const port = await listen(
      createTcp((socket) =>
        socket
          .on('error', () => {})
          .resume()
          .end('-ERR\r\n'),
      ),
    );
    const asked = await run({ probes: [{ ...probe(`:${port}/`), retries: 0 }] });
    expect(asked).toMatchObject([{ kind: 'http', status: null, ok: false }]);
    const knocked = await run({}, { ports: [port] });
    expect(knocked).toMatchObject([
      { kind: 'tcp', origin: 'port', name: `tcp://:${port}`, ok: true, error: null },
    ]);
  });

  it('is not knocked on where something is asked, or the caller does not want it', async () => {
    const port = await serve((_, response) => response.end());
    expect(await run({ probes: [probe(`tcp://:${port}`)] }, { ports: [port] })).toHaveLength(1);
  });
});

describe('a crawl', () => {
  it('follows pages, assets and redirects of the origin, each once, three links deep', async () => {
    const pages: Record<string, string> = {
      '/': '<a href="/1"><link href="/app.css"><a href="/old">',
      '/1': '<a href="/2"><a href="/">',
      '/2': '<a href="/3">',
      '/3': '<a href="/4">',
      '/new': '<a href="/1">',
      '/app.css': 'a { background: url(bg.png) }',
    };
    const port = await serve(({ url = '' }, response) => {
      const page = pages[url];
      if (url === '/old') response.writeHead(302, { location: `http://localhost:${port}/new` }).end();
      else
        response
          .writeHead(page === undefined ? 404 : 200, {
            'content-type': url.endsWith('.css') ? 'text/css' : 'text/html',
          })
          .end(page);
    });
    const results = await run({ crawl: true }, { ports: [port] });
    expect(
      results.map(({ name, status }) => `${name.split(' ')[1]?.replace('http://:', '')} ${status}`),
    ).toEqual(
      ['/ 200', '/1 200', '/app.css 200', '/old 302', '/2 200', '/bg.png 404', '/new 200', '/3 200'].map(
        (line) => `${port}${line}`,
      ),
    );
  });
});

describe('an API', () => {
  it('is called by the description that it serves', async () => {
    const document = {
      paths: { '/a': { get: {} }, '/b/{id}': { get: { parameters: [{ name: 'id', in: 'path' }] } } },
    };
    const port = await serve(({ url }, response) => {
      if (url === '/openapi.json') response.end(JSON.stringify(document));
      else response.end('hello');
    });
    const results = await run({ apis: [{ kind: 'path', path: '/openapi.json' }] }, { ports: [port] });
    expect(results).toMatchObject([
      { name: `GET http://:${port}/openapi.json`, ok: true },
      { name: 'GET /b/{id}', status: null, error: 'not called: no example of the parameter id' },
      { name: `GET http://:${port}/a`, digest: hello },
    ]);
  });
});

it('gRPC is asked for its health', async () => {
  const server = createHttp2();
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      const isKnown = Buffer.concat(chunks).subarray(7).toString() !== 'gone';
      stream.respond(
        { ':status': 200, 'content-type': String(headers['content-type']) },
        { waitForTrailers: true },
      );
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': isKnown ? '0' : '5' }));
      stream.end(Buffer.from([0, 0, 0, 0, 2, 8, 1]));
    });
  });
  const port = await listen(server);
  const probes = ['', '/app', '/gone'].map((service) => ({
    ...probe(`grpc://:${port}${service}`),
    retries: 0,
  }));
  expect(await run({ probes })).toMatchObject([
    { kind: 'grpc', status: 1, ok: true },
    { status: 1, ok: true },
    { status: null, ok: false, error: 'gRPC answers with status 5' },
  ]);
});

describe('commands', () => {
  const exec = (command: readonly string[]) =>
    Promise.resolve({ status: command[0] === 'false' ? 1 : 0, length: 5, digest: hello });
  const command = (...words: string[]): ExecProbe => ({
    kind: 'exec',
    origin: 'option',
    command: words,
    retries: 0,
  });

  it('run after the requests, and the health check of the image before', async () => {
    const port = await serve((_, response) => response.end());
    const results = await run(
      { probes: [command('false', 'x'), probe(`:${port}/`), command('ping')] },
      { exec, healthcheck: ['check'] },
    );
    expect(results.map(({ name, status, ok }) => [name, status, ok])).toEqual([
      ['check', 0, true],
      [`GET http://:${port}/`, 200, true],
      ['false x', 1, false],
      ['ping', 0, true],
    ]);
  });
});

describe('a program', () => {
  it('that ends early leaves what could not be asked, and says so', async () => {
    const ended = new AbortController();
    const port = await serve((_, response) => {
      ended.abort();
      response.destroy();
    });
    const results = await run(
      { probes: [probe(`:${port}/`), probe(`:${port}/b`)] },
      { signal: ended.signal },
    );
    expect(results.map(({ ok, error }) => [ok, error])).toEqual([
      [false, 'the program has ended'],
      [false, 'the program has ended'],
    ]);
  });

  it('that does not become ready is an error that says what to do', async () => {
    const refused = run(
      { probes: [probe(':1/')] },
      { dial: () => Promise.reject(new Error('refused')), times: { ...quick, patience: 1 } },
    );
    await expect(refused).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      advice: expect.stringContaining('--ready') as string,
    });
  });

  it('is ready when its log or a path says so', async () => {
    let isUp = false;
    const port = await serve((_, response) => response.writeHead(isUp ? 200 : 404).end());
    const patterns: string[] = [];
    const logged: ProbeRun['logged'] = (pattern) => {
      patterns.push(pattern.source);
      return Promise.resolve();
    };
    await run({ ready: { kind: 'log', pattern: 'up' }, probes: [probe(`:${port}/`)] }, { logged });
    expect(patterns).toEqual(['up']);
    let looked = 0;
    const dial: ProbeRun['dial'] = (to, signal) => {
      isUp = ++looked > 2;
      return dialHere(to, signal);
    };
    const results = await run(
      { ready: { kind: 'path', path: '/up' }, probes: [probe(`:${port}/`)] },
      { dial },
    );
    expect(results).toMatchObject([{ status: 200 }]);
    expect(looked).toBe(4);
  });
});
