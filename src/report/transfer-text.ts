import { formatSize } from './figures.ts';
import type { Report } from './report.ts';

/** Renders what was transferred, leaving out zeros: `45.0 MB downloaded, 20.0 MB uploaded, 30.1 MB mounted`. */
export function transferText({ transfer }: Report): string {
  const { downloadedBytes, cachedBytes, uploadedBytes, copiedBytes, mountedBytes, presentBytes } = transfer;
  const parts: [number, string][] = [
    [downloadedBytes, 'downloaded'],
    [cachedBytes, 'from the cache'],
    [uploadedBytes, 'uploaded'],
    [copiedBytes, 'copied unchanged'],
    [mountedBytes, 'mounted'],
    [presentBytes, 'already there'],
  ];
  return parts
    .filter(([bytes]) => bytes > 0)
    .map(([bytes, what]) => `${formatSize(bytes)} ${what}`)
    .join(', ');
}
