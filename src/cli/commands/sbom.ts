/** The command `sbom`: the bill of materials of one image, as scanners and policies read it. */
import { sbomOptions } from '../../settings/tables/sbom.ts';
import { type Command, defineCommand, source } from '../command.ts';

export const sbom: Command = defineCommand({
  name: 'sbom',
  describe: 'write a bill of materials: packages, licences, and the layer of each',
  details:
    'Reads the layers of one image once, and lists what it is made of: packages of Debian, Alpine and Red Hat, of Python, Node, Ruby, PHP and conda, archives of Java, modules of Go. Each component has its package URL, its licences as they are stated, and the layer that brought it with the instruction of that layer. A component of which files are missing is marked: its package database lists files that the image does not have. Scanners such as grype and trivy read the bill instead of the image. The same image gives the same bytes.',
  positionals: [source],
  options: sbomOptions,
  examples: [
    ['ocislim sbom localhost:5000/app:1 -o app.cdx.json', 'in CycloneDX, into a file'],
    ['ocislim sbom oci:app:1 --format spdx --files', 'in SPDX, with the files of each component'],
    ['ocislim sbom localhost:5000/app:1 | grype', 'for a scanner', 'a scanner'],
  ],
  async run({ settings, secrets, line, console }) {
    const { sbom: make } = await import('../../commands/index.ts');
    const { checkResult, writeResult } = await import('../result-output.ts');
    const { Screen } = await import('../screen.ts');
    await checkResult(settings);
    using screen = new Screen(settings, console);
    const { env, signal } = console;
    const surroundings = { env, signal, secrets, listener: screen.listener };
    const { document } = await make(line.argument('src') ?? '', settings, surroundings);
    screen.stop();
    await writeResult(document, settings, console);
    return 0;
  },
});
