import { expect, test } from 'vitest';
import { createEncoderPool } from '../src/codec/encoder-pool.ts';
import { openSource } from '../src/jobs/open.ts';
import { parseReference } from '../src/oci/reference.ts';
import { RegistryClients } from '../src/registry/clients.ts';
import { FakeRegistry } from './support/registry/fake-registry.ts';
import { never, setup } from './support/registry/setup.ts';

test('`await using` closes a place and its connections at the end of the block', async () => {
  const fake = await FakeRegistry.start();
  try {
    const { options } = setup();
    const reference = parseReference(`${fake.host}/app:v1`);
    let left: Awaited<ReturnType<typeof openSource>>;
    {
      await using source = await openSource(reference, options);
      await expect(source.root(never)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      left = source;
    }
    await expect(left.root(never)).rejects.toMatchObject({ code: 'INTERNAL' });
  } finally {
    await fake.close();
  }
});

test('closing shared clients fails what their places ask for afterwards', async () => {
  const fake = await FakeRegistry.start();
  try {
    const { options } = setup();
    const reference = parseReference(`${fake.host}/app:v1`);
    let left: Awaited<ReturnType<typeof openSource>>;
    {
      await using clients = new RegistryClients();
      left = await openSource(reference, { ...options, clients });
    }
    await expect(left.root(never)).rejects.toMatchObject({ code: 'INTERNAL' });
    await left.close();
  } finally {
    await fake.close();
  }
});

test('a block that throws closes its encoder pool', async () => {
  const pool = createEncoderPool({ jobs: 1 });
  const work = async () => {
    await using used = pool;
    throw new Error(`with ${used.jobs} job`);
  };
  await expect(work()).rejects.toThrow('with 1 job');
  expect(() => pool.open(never)).toThrow('closed');
});
