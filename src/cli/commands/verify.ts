import { type Command } from '../command.ts';
import { common, output, registries, work } from '../options/common-options.ts';
import { list, text } from '../options/option.ts';

export const verify: Command = {
  name: 'verify',
  describe: 'prove that image B is image A, or A less the paths that pruning removed',
  details:
    'Reads all that the two do not share, checks every digest, size and DiffID, merges the layers of each and compares every path in every attribute: type, permissions, owner, time, extended attributes, contents, link targets, hard links; and the config that a container runs with. Exits with 3 if something differs. --src-creds are for A, --dest-creds for B. After a prune, --removed-by FILE.json (the report that it wrote) or --except GLOB says what may be missing in B. With --cache-dir, blobs that are in the cache are judged by their digests, and not asked of the registry.',
  positionals: [
    { name: 'a', describe: 'the original', required: true },
    { name: 'b', describe: 'the image to judge', required: true },
  ],
  options: [
    {
      name: 'except',
      type: 'list',
      value: 'GLOB',
      describe: 'what this matches may be missing in B (repeatable)',
      group: 'What to remove',
    },
    {
      name: 'removed-by',
      type: 'list',
      value: 'FILE',
      describe:
        'the JSON report of a squash or prune: what it names may be missing in B, have lost setuid bits, or be one file with another (repeatable)',
      group: 'What to remove',
    },
    ...common.filter(({ name }) => name === 'platform' || name === 'format'),
    ...output,
    ...registries,
    ...work,
  ],
  examples: [
    ['ocislim verify localhost:5000/app:1 localhost:5000/app:1-squashed', 'after squash or recompress'],
    ['ocislim verify localhost:5000/app:1 localhost:5000/app:1-slim --removed-by report.json', 'after prune'],
  ],
  async run(values, console) {
    const { Session } = await import('../session.ts');
    const { verifyImages } = await import('../../jobs/compare/verify.ts');
    const { announcedBy } = await import('./announcement.ts');
    const { renderVerification, renderVerificationJson } = await import('./verification-text.ts');
    const { parseReference } = await import('../../oci/reference.ts');
    const { allowed, allowedModes, allowedLinks } = await announcedBy(
      list(values, 'except'),
      list(values, 'removed-by'),
    );
    const [first, second] = [
      parseReference(text(values, 'a') ?? ''),
      parseReference(text(values, 'b') ?? ''),
    ];
    const session = new Session(values, console);
    const cache = await session.openCache();
    const a = await session.openSource(first);
    const b = await session.openResult(second);
    try {
      const { platforms, jobs, maxScratch, limits, listener, signal } = session;
      const result = await verifyImages({
        a,
        b,
        platforms,
        allowed,
        allowedModes,
        allowedLinks,
        jobs,
        maxScratch,
        limits,
        cache,
        listener,
        signal,
      });
      session.stopProgress();
      if (text(values, 'format') === 'json') console.stdout.write(renderVerificationJson(result));
      else console.stdout.write(renderVerification(result, a.label, b.label));
      return result.equal ? 0 : 3;
    } finally {
      session.stopProgress();
      await a.close();
      await b.close();
      await cache?.close();
    }
  },
};
