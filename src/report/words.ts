/** The words for what a command did, which its name decides. The summary and Markdown use the same. */
import type { Report } from './report.ts';

/** Returns what a command calls its work on the contents of layers. */
export function workWord({ command }: Pick<Report, 'command'>): string {
  return command === 'squash' ? 'squashing' : 'slimming';
}

/** Says in a sentence without an end what became of an image whose digest stays: whether it was copied, or was there. */
export function unchangedText({ command, transfer }: Pick<Report, 'command' | 'transfer'>): string {
  const moved = transfer.copiedBytes + transfer.mountedBytes;
  const copied = 'copied as it is, byte for byte';
  if (command === 'copy')
    return moved > 0 ? copied : 'nothing to copy: all layers were there already, byte for byte';
  return moved > 0
    ? `nothing to change: ${copied}`
    : 'nothing to do: the image stays as it is, byte for byte';
}

/** Returns whether an image was built from nothing, so that no source is to be shown and nothing was downloaded. */
export function isFromNothing({ reference }: { readonly reference: string }): boolean {
  return reference.startsWith(ofNothing);
}

/** Names the source of a run for headings. What is built from nothing has the platforms that it is for. Unescaped. */
export function sourceName({ source }: Pick<Report, 'source'>): string {
  const { reference } = source;
  return isFromNothing(source)
    ? `from nothing, for ${reference.slice(ofNothing.length).replaceAll(',', ', ')}`
    : reference;
}

const ofNothing = 'scratch:';
