import { pipeline } from 'node:stream/promises';
import { OcislimError } from '../../errors.ts';
import { type Command, source } from '../command.ts';
import { common, output, registries, work } from '../options/common-options.ts';
import { text } from '../options/option.ts';

export const exportCommand: Command = {
  name: 'export',
  describe: 'write the merged root filesystem as one tar',
  details:
    'Merges all layers of one image and writes what a container would see as a plain tar, to a file or (with "-") to stdout. Owners, times, capabilities, hard links and sparse files are those of the layers.',
  positionals: [source, { name: 'file', describe: 'the tar to write, or - for stdout', required: true }],
  options: [...common.filter(({ name }) => name === 'platform'), ...output, ...registries, ...work],
  examples: [
    ['ocislim export localhost:5000/app:1 rootfs.tar', 'into a file'],
    ['ocislim export oci:app:1 - | tar -tv', 'into a pipe'],
  ],
  async run(values, console) {
    const { Session } = await import('../session.ts');
    const { exportRootfs } = await import('../../jobs/export.ts');
    const { parseReference } = await import('../../oci/reference.ts');
    // yargs makes an empty string of a lone dash.
    const file = text(values, 'file') || '-';
    const reference = parseReference(text(values, 'src') ?? '');
    const session = new Session(values, console);
    const [platform = null, ...more] = session.platforms;
    if (more.length > 0)
      throw new OcislimError('USAGE', 'export writes one root filesystem: give one --platform');
    const cache = await session.openCache();
    const image = await session.openSource(reference);
    try {
      const result = await exportRootfs({
        source: image,
        platform,
        jobs: session.jobs,
        maxScratch: session.maxScratch,
        limits: session.limits,
        cache,
        listener: session.listener,
        signal: session.signal,
      });
      try {
        if (file === '-') {
          await pipeline(result.stream, process.stdout, { end: false, signal: session.signal });
        } else {
          const { writeWhole } = await import('../../files/whole-file.ts');
          await writeWhole(file, result.stream, session.signal);
        }
      } finally {
        await result.close();
      }
      return 0;
    } finally {
      session.stopProgress();
      await image.close();
      await cache?.close();
    }
  },
};
