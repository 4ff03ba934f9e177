import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { FoundInput } from './fuzzing.ts';

const folder = new URL('findings/', import.meta.url);

/** Writes the input of a finding, and a note beside it. Returns the text of the note. */
export function writeFinding(target: string, found: FoundInput): string {
  mkdirSync(folder, { recursive: true });
  const name = `${target}-${createHash('sha256').update(found.bytes).digest('hex').slice(0, 12)}`;
  const repeat = `npm run fuzz -- --target ${target} --input fuzz/findings/${name}`;
  writeFileSync(new URL(name, folder), found.bytes);
  writeFileSync(
    new URL(`${name}.txt`, folder),
    `${found.kind}: ${found.message}\n\n${found.stack}\n\n${repeat}\n`,
  );
  return `${target}: ${found.kind}: ${found.message.slice(0, 300)}\n  ${found.bytes.length} bytes: ${fileURLToPath(new URL(name, folder))}\n  ${repeat}`;
}
