/** The command `verify`. Its exit status is 3 when the images differ, as for every gate. */
import { verifyOptions } from '../../settings/tables/commands.ts';
import { type Command, defineCommand } from '../command.ts';

export const verify: Command = defineCommand({
  name: 'verify',
  describe: 'prove that image B is image A, or A less the paths that pruning removed',
  details:
    'Reads everything that the two images do not share, checks every digest, size and DiffID, merges the layers of each image and compares every path in every attribute: type, permissions, owner, time, extended attributes, contents, link targets, hard links. It also compares the config that a container runs with, and the digests of what is not an image (attestations, artifacts). Its last sentence says what was proved: that B is identical to A, that it has the same root filesystem, or that of A less the paths that were announced. Exits with 3 if something differs, and where neither holds anything to compare. --src-creds are for A, --dest-creds for B. After a prune, --removed-by FILE.json (the report that it wrote) or --except GLOB says what may be missing in B. With --cache-dir, blobs in the cache are compared by their digests and not requested from the registry.',
  positionals: [
    { name: 'a', describe: 'the original', required: true },
    { name: 'b', describe: 'the image to judge', required: true },
  ],
  options: verifyOptions,
  examples: [
    ['ocislim verify localhost:5000/app:1 localhost:5000/app:1-squashed', 'after squash or recompress'],
    ['ocislim verify localhost:5000/app:1 localhost:5000/app:1-slim --removed-by report.json', 'after prune'],
  ],
  async run({ settings, secrets, line, console }) {
    const { verify: compare } = await import('../../commands/index.ts');
    const { renderVerification, renderVerificationJson } = await import('./verification-text.ts');
    const { Screen } = await import('../screen.ts');
    using screen = new Screen(settings, console);
    const { env, signal } = console;
    const surroundings = { env, signal, secrets, listener: screen.listener };
    const [a, b] = [line.argument('a') ?? '', line.argument('b') ?? ''];
    const outcome = await compare(a, b, settings, surroundings);
    screen.stop();
    const { verification } = outcome;
    const files = settings.removedBy.flatMap(({ file }) => file ?? []);
    const compared = {
      a: outcome.a,
      b: outcome.b,
      reports: [...new Set(files)],
      hasExceptions: settings.except.length > 0,
      noiseless: settings.ignore.includes('noise'),
    };
    const render = settings.format === 'json' ? renderVerificationJson : renderVerification;
    console.stdout.write(render(verification, compared));
    return verification.equal ? 0 : 3;
  },
});
