/**
 * Reads when packages were changed: changelogs of Debian's packages, which are in the image. `change-dates.ts` gives it the contents.
 */
import { type ByteString, utf8Text } from '../bytes/bytes.ts';

/** A dated entry of a changelog. */
export interface DatedChange {
  /** Seconds since 1970. */
  readonly time: number;
  /** The release that it was made for: "bookworm-security", "unstable". Null where changelogs do not say it. */
  readonly release: string | null;
}

/** "curl (7.88.1-10+deb12u5) bookworm-security; urgency=high" */
const heading = /^\S+ \([^)]*\) ([^;]+);/;
/** " -- Name <mail>  Wed, 04 Oct 2023 20:46:59 +0200" */
const signature = /^ -- .*> {1,2}(.+)$/;

/** Reads a changelog of Debian (deb-changelog(5)), whatever its order. Entries without a date that can be read are left out. */
export function readDebianChangelog(text: ByteString): readonly DatedChange[] {
  const found: DatedChange[] = [];
  let release: string | null = null;
  for (const line of text.split('\n')) {
    if (line.startsWith('  ') || line === '') continue;
    const [, releases] = heading.exec(line) ?? [];
    if (releases !== undefined) release = utf8Text(releases as ByteString).trim();
    const [, date] = signature.exec(line) ?? [];
    if (date === undefined) continue;
    const time = Date.parse(date.trim());
    if (Number.isFinite(time)) found.push({ time: time / 1000, release });
    release = null;
  }
  return found;
}
