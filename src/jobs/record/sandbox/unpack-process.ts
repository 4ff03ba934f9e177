/**
 * A process that unpacks a root filesystem from its standard input into a folder, with the users that it has: `private-root.ts` starts it, for an
 * ordinary user in the namespace in which the program will run. It prints the result as JSON and ends.
 */
import { writeSync } from 'node:fs';
import { OcislimError } from '../../../errors.ts';
import { settle, unpackTar } from '../../../layers/unpack/unpack.ts';
import { Disk } from '../../../layers/unpack/disk.ts';
import { readRootNames } from '../root-names.ts';
import { makePoint } from './points.ts';
import { decodeJob, type UnpackJob, type UnpackReply } from './unpack-job.ts';

async function unpack({ folder, grants, limits, points }: UnpackJob): Promise<UnpackReply> {
  const { signal } = new AbortController();
  const disk = new Disk(folder);
  const { folders, ...unpacked } = await unpackTar(process.stdin as AsyncIterable<Uint8Array>, disk, {
    grants,
    umask: 0,
    limits,
    signal,
  });
  const names = await readRootNames(folder, signal);
  settle(disk, folders);
  const paths = points.map((point) => makePoint(folder, point));
  return { unpacked, paths, names: names.entries() };
}

function reply(result: UnpackReply | { readonly error: object }): void {
  const text = Buffer.from(JSON.stringify(result));
  for (let at = 0; at < text.length; ) at += writeSync(3, text, at);
}

function fail(error: unknown): void {
  const { code, message, advice } =
    error instanceof OcislimError ? error : { code: 'INTERNAL', message: String(error), advice: undefined };
  reply({ error: { code, message, advice } });
}

// The bundled program is CommonJS, which cannot await here.
void unpack(decodeJob(process.argv[2] ?? '')).then(reply, fail);
