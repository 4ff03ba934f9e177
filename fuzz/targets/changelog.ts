/**
 * The target of changelogs of Debian's packages, which images hold. Whatever the text is, its dates are numbers, and what follows a text
 * does not change what was read of it.
 */
import { readByteString } from '../../src/bytes/bytes.ts';
import { readDebianChangelog } from '../../src/relayer/changelog.ts';
import { holds, type Target } from '../target.ts';

const entry =
  'curl (7.88.1-10+deb12u5) bookworm-security; urgency=high\n\n  * Fix.\n\n -- A B <a@b.example>  Wed, 04 Oct 2023 20:46:59 +0200\n';

export const target: Target = {
  name: 'changelog',
  invariant: 'dates are finite, and lines that follow take none of them back',
  seeds: () => [entry, `${entry}\n${entry}`, `${entry}Old changelog:\n`].map((text) => Buffer.from(text)),
  dictionary: ['\n -- ', '>  ', '> ', ') ', '; ', ' (', 'unstable', 'Thu, 01 Jan 1970 00:00:00 +0000', '\n'],
  run: (bytes) => {
    const read = readDebianChangelog(readByteString(bytes));
    for (const { time, release } of read) {
      holds(Number.isFinite(time), 'a date that is no number');
      holds(release !== '', 'a release without a name');
    }
    const longer = readDebianChangelog(readByteString(Buffer.concat([bytes, Buffer.from(`\n${entry}`)])));
    for (const [at, { time }] of read.entries())
      holds(longer[at]?.time === time, 'a date that a later line changes');
    holds(longer.length > read.length, 'an entry that an earlier line hides');
  },
};
