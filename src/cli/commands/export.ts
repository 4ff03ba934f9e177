/** The command `export`: the merged root filesystem as a tar. It writes a file or stdout, and no image. */
import { OcislimError } from '../../errors.ts';
import type { Reference } from '../../oci/reference.ts';
import { exportOptions } from '../../settings/tables/commands.ts';
import { type Command, defineCommand, source } from '../command.ts';

export const exportCommand: Command = defineCommand({
  name: 'export',
  describe: 'write the merged root filesystem as one tar',
  details:
    'Merges all layers of one image and writes the filesystem that a container would see as a plain tar, to a file or (with "-") to stdout. Owners, times, capabilities, hard links and sparse files are those of the layers.',
  positionals: [source, { name: 'file', describe: 'the tar to write, or - for stdout', required: true }],
  options: exportOptions,
  examples: [
    ['ocislim export localhost:5000/app:1 rootfs.tar', 'into a file'],
    ['ocislim export oci:app:1 - | tar -tv', 'into a pipe'],
  ],
  async run(call) {
    const { settings, line, console } = call;
    const { exportRootfs } = await import('../../jobs/export.ts');
    const { readSource } = await import('../../jobs/read-reference.ts');
    const file = line.argument('file') ?? '-';
    const reference = await readSource(line.argument('src') ?? '');
    const [platform = null, ...more] = settings.platform;
    if (more.length > 0)
      throw new OcislimError('USAGE', 'export writes one root filesystem: give one --platform');
    if (file !== '-') await checkFile(file, reference);
    else if (console.stdout.isTTY === true) throw refuseTerminal();
    const { openWorkspace } = await import('../open-workspace.ts');
    const { Screen } = await import('../screen.ts');
    using screen = new Screen(settings, console);
    await using workspace = await openWorkspace(call, screen);
    const cache = await workspace.openCache();
    await using rootfs = await exportRootfs({
      source: await workspace.openSource(reference),
      platform,
      jobs: workspace.jobs,
      maxScratch: workspace.disk,
      limits: workspace.limits,
      cache,
      listener: workspace.listener,
      signal: workspace.signal,
    });
    if (file === '-') {
      const { pipeToStdout } = await import('../pipe.ts');
      await pipeToStdout(rootfs.stream, workspace.signal);
    } else {
      const { writeWhole } = await import('../../files/whole-file.ts');
      await writeWhole(file, rootfs.stream, workspace.signal);
    }
    return 0;
  },
});

function refuseTerminal(): OcislimError {
  return new OcislimError('USAGE', 'a tar is not written to a terminal', {
    advice: 'Name a file, or pipe it: ocislim export IMAGE - | tar -tv',
  });
}

/** Refuses what cannot be written, terminals, and the archive that is read, before the work. @throws IO, USAGE */
async function checkFile(file: string, source: Reference): Promise<void> {
  const { checkReplaceable } = await import('../../files/writable.ts');
  const { isTerminal } = await import('../../files/terminal.ts');
  const found = await checkReplaceable(file);
  if (await isTerminal(found)) throw refuseTerminal();
  const { identity } = found;
  if (identity === null || !('path' in source)) return;
  const { findFile } = await import('../../files/found-file.ts');
  if ((await findFile(source.path)).identity === identity)
    throw new OcislimError('USAGE', `${file} is the source: name another file`);
}
