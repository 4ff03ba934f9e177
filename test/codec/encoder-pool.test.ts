import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { encode } from '../../src/codec/encode.ts';
import { createEncoderPool, EncoderPool } from '../../src/codec/encoder-pool.ts';
import type { PackedEncoding } from '../../src/codec/encoding.ts';
import { UnpackThreads } from '../../src/codec/unpack/threads.ts';
import { GzipWorkers } from '../../src/codec/gzip-workers.ts';
import { MiB } from '../../src/units.ts';

const never = new AbortController().signal;
const libdeflate: PackedEncoding = { kind: 'gzip', level: 1, engine: 'libdeflate' };

const opened: EncoderPool[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((pool) => pool.close()));
});

function open(jobs: number, worker?: string): EncoderPool {
  const pool =
    worker === undefined
      ? createEncoderPool({ jobs })
      : new EncoderPool(
          jobs,
          new GzipWorkers(jobs, { file: new URL(`data:text/javascript,${encodeURIComponent(worker)}`) }),
          new UnpackThreads(jobs),
        );
  opened.push(pool);
  return pool;
}

async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function* zeros(count: number, read?: { bytes: number }) {
  for (let i = 0; i < count; i++) {
    if (read !== undefined) read.bytes += MiB;
    yield new Uint8Array(MiB);
  }
}

/** Makes tasks that end when told to. */
function stage() {
  const started: string[] = [];
  const ends = new Map<string, () => void>();
  const task = (name: string) => () => {
    started.push(name);
    return new Promise<string>((resolve) => ends.set(name, () => resolve(name)));
  };
  const end = async (name: string) => {
    ends.get(name)?.();
    await setImmediate();
  };
  return { started, task, end };
}

/** A pool that knows when all its tasks have ended. The source of a stream then stands still, if it never waits. */
class WatchedPool extends EncoderPool {
  readonly #tasks = new Set<Promise<unknown>>();

  constructor(jobs: number) {
    super(jobs, new GzipWorkers(jobs), new UnpackThreads(jobs));
  }

  override open(signal: AbortSignal) {
    const lane = super.open(signal);
    const run = lane.run.bind(lane);
    lane.run = <T>(task: () => Promise<T>) => {
      const result = run(task);
      this.#tasks.add(result);
      void result.then(
        () => this.#tasks.delete(result),
        () => this.#tasks.delete(result),
      );
      return result;
    };
    return lane;
  }

  async idle(): Promise<void> {
    while (this.#tasks.size > 0) {
      await Promise.allSettled(this.#tasks);
      await setImmediate();
    }
  }
}

describe('the turns of streams', () => {
  test('at most as many tasks run as there are jobs, and a new stream is next', async () => {
    const { started, task, end } = stage();
    const pool = open(2);
    const large = pool.open(never);
    const results = ['a1', 'a2', 'a3', 'a4'].map((name) => large.run(task(name)));
    const small = pool.open(never);
    results.push(small.run(task('b1')), small.run(task('b2')));
    expect(started).toEqual(['a1', 'a2']);
    await end('a2');
    expect(started).toEqual(['a1', 'a2', 'b1']);
    await end('a1');
    await end('b1');
    expect(started).toEqual(['a1', 'a2', 'b1', 'a3', 'b2']);
    for (const name of ['b2', 'a3', 'a4']) await end(name);
    expect(await Promise.all(results)).toEqual(['a1', 'a2', 'a3', 'a4', 'b1', 'b2']);
  });

  test('a stream of small blocks gives threads a few more, and the others wait for their turn', async () => {
    const { started, task, end } = stage();
    const pool = open(1);
    const small = pool.open(never);
    small.early = 2;
    const large = pool.open(never);
    const results = ['s1', 's2', 's3', 's4'].map((name) => small.run(task(name)));
    results.push(large.run(task('l1')));
    expect(started).toEqual(['s1', 's2', 's3']);
    for (const name of ['s1', 's2']) await end(name);
    expect(started).toEqual(['s1', 's2', 's3']);
    await end('s3');
    expect(started).toEqual(['s1', 's2', 's3', 'l1', 's4']);
    for (const name of ['s4', 'l1']) await end(name);
    expect(await Promise.all(results)).toEqual(['s1', 's2', 's3', 's4', 'l1']);
  });

  test('a busy serial stream leaves its turn to others', async () => {
    const { started, task, end } = stage();
    const pool = open(2);
    const serial = pool.open(never);
    serial.serial();
    void serial.run(task('s1'));
    void serial.run(task('s2'));
    void pool.open(never).run(task('b1'));
    expect(started).toEqual(['s1', 'b1']);
    await end('b1');
    expect(started).toEqual(['s1', 'b1']);
    await end('s1');
    expect(started).toEqual(['s1', 'b1', 's2']);
    await end('s2');
  });

  test('a cancelled job rejects at once but keeps its slot until it finishes', async () => {
    const { started, task, end } = stage();
    const pool = open(1);
    const controller = new AbortController();
    const lane = pool.open(controller.signal);
    const [running, queued] = [lane.run(task('a1')), lane.run(task('a2'))];
    const other = pool.open(never).run(task('b1'));
    controller.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
    await expect(queued).rejects.toThrow('enough');
    expect(started).toEqual(['a1']);
    await end('a1');
    expect(started).toEqual(['a1', 'b1']);
    await end('b1');
    expect(await other).toBe('b1');
  });

  test('a small stream finishes while a large one goes on', async () => {
    const pool = open(1);
    async function* endless() {
      for (;;) yield new Uint8Array(MiB);
    }
    const large = encode(endless(), { kind: 'zstd', level: 3 }, { signal: never, pool });
    let going = true;
    const consuming = (async () => {
      for await (const _ of large) if (!going) break;
    })();
    for (const engine of ['libdeflate', 'zlib', 'pako'] as const) {
      const packed = await collect(
        encode(zeros(3), { kind: 'gzip', level: 1, engine }, { signal: never, pool }),
      );
      expect(gunzipSync(packed)).toHaveLength(3 * MiB);
    }
    going = false;
    await consuming;
  });
});

describe('memory', () => {
  test.each([
    [{ kind: 'zstd', level: 3 }, 8],
    [{ kind: 'zstd', level: 12 }, 16],
    [{ kind: 'zstd', level: 19 }, 24],
    [libdeflate, 1],
    [{ kind: 'gzip', level: 1, engine: 'zlib' }, 0.5],
    [{ kind: 'gzip', level: 1, engine: 'pako' }, 1],
  ] as const)('a consumer that stops also stops the source: %j', async (encoding, block) => {
    const pool = new WatchedPool(2);
    opened.push(pool);
    const read = { bytes: 0 };
    for await (const _ of encode(zeros(1000, read), encoding, { signal: never, pool })) {
      await pool.idle();
      break;
    }
    // Two jobs, at most four blocks ahead, the block given out, and the chunk beyond a full block.
    expect(read.bytes).toBeLessThanOrEqual((block <= 1 ? 7 : block <= 8 ? 5 : 4) * block * MiB + 2 * MiB);
  });
});

describe('workers', () => {
  const answers = (reply: string) =>
    `import { parentPort } from 'node:worker_threads'; parentPort.on('message', (request) => { ${reply} });`;

  test.each([
    ['throws', answers('throw new Error("out of order")'), 'out of order'],
    ['ends', answers('process.exit(3)'), 'it ended with status 3'],
    ['does not even start', 'throw new Error("no start")', 'no start'],
    [
      'says that it failed',
      answers('parentPort.postMessage({ id: request.id, kind: "failed", error: new Error("no luck") })'),
      'no luck',
    ],
  ])('a worker that %s fails its stream and no other', async (_, worker, reason) => {
    const pool = open(2, worker);
    for (const engine of ['libdeflate', 'pako', 'libdeflate'] as const) {
      const stream = encode(zeros(5), { kind: 'gzip', level: 1, engine }, { signal: never, pool });
      await expect(collect(stream)).rejects.toMatchObject({
        code: 'CODEC',
        message: `a worker of the gzip engine ${engine} failed: ${reason}`.replace(
          'failed: no luck',
          'failed: Error: no luck',
        ),
        advice: expect.stringContaining('--gzip-engine zlib') as string,
      });
    }
    const packed = await collect(
      encode(zeros(1), { kind: 'gzip', level: 1, engine: 'zlib' }, { signal: never, pool }),
    );
    expect(gunzipSync(packed)).toHaveLength(MiB);
  });

  test('libdeflate without WebAssembly is an error with advice', async () => {
    const worker = new URL('../../src/codec/gzip-worker.ts', import.meta.url);
    const pool = open(1, `await import(${JSON.stringify(worker.href)}); delete globalThis.WebAssembly;`);
    await expect(collect(encode(zeros(1), libdeflate, { signal: never, pool }))).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: 'the gzip engine libdeflate cannot run here: this Node has no WebAssembly',
      advice: expect.stringContaining('--gzip-engine zlib') as string,
    });
  });

  test('idle workers do not keep the process alive', async () => {
    const here = fileURLToPath(new URL('../..', import.meta.url));
    const script = `
      import { encode } from './src/codec/encode.ts';
      import { createEncoderPool } from './src/codec/encoder-pool.ts';
      const pool = createEncoderPool({ jobs: 2 });
      const { signal } = new AbortController();
      async function* body() { for (let i = 0; i < 5; i++) yield new Uint8Array(1 << 20); }
      for (const engine of ['libdeflate', 'pako'])
        for await (const _ of encode(body(), { kind: 'gzip', level: 1, engine }, { signal, pool })) {}
      console.log('packed');`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', script],
      { cwd: here, timeout: 500_000 },
    );
    expect(stdout).toBe('packed\n');
  });
});

test('a closed pool fails its open streams and takes no new ones', async () => {
  const pool = open(1);
  const stream = encode(zeros(1000), libdeflate, { signal: never, pool })[Symbol.asyncIterator]();
  await stream.next();
  await pool.close();
  const drained = (async () => {
    for (;;) if ((await stream.next()).done === true) return;
  })();
  await expect(drained).rejects.toMatchObject({ code: 'INTERNAL' });
  await expect(collect(encode(zeros(1), libdeflate, { signal: never, pool }))).rejects.toMatchObject({
    code: 'INTERNAL',
  });
});

test.each([0, -1, 1.5, Number.NaN])('%d jobs are refused', (jobs) => {
  expect(() => createEncoderPool({ jobs })).toThrow(/whole number/);
});
