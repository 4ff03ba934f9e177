/**
 * Writes an OCI layout with one large layer, for measuring memory: `large-layer.ts DIR GIGABYTES [FILES]`. Half of
 * each file is noise and half is text, as in real layers. A small second layer overwrites a file of the first.
 */
import { madeUpTar } from './inputs/made-up-tar.ts';
import { writeLayout } from './inputs/write-layout.ts';
import { GiB } from '../src/units.ts';

const [directory = 'large', gigabytes = '1', files = '200'] = process.argv.slice(2);
const count = Number(files);
const size = Math.floor((Number(gigabytes) * GiB) / count / 512) * 512;
const digest = await writeLayout(
  directory,
  [madeUpTar({ count, size, prefix: 'file' }), madeUpTar({ count: 1, size: 1024, prefix: 'file' })],
  { level: 1, signal: new AbortController().signal },
);
process.stdout.write(`${directory}: ${digest.slice(7, 15)}, ${gigabytes} GiB in ${count} files\n`);
