/** The pages whose examples tests run: the README and the guide. Tests take them and the kinds of their blocks from here. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Block, blocksOf } from './markdown.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** A page with its blocks. */
export interface Page {
  /** The file, from the root of the project. */
  readonly page: string;
  readonly text: string;
  readonly blocks: readonly Block[];
}

/** Reads the README and all pages of the guide. */
export function readPages(): readonly Page[] {
  return ['README.md', ...globSync('docs/**/*.md', { cwd: root }).toSorted()].map((page) => {
    const text = readFileSync(join(root, page), 'utf8');
    return { page, text, blocks: blocksOf(text) };
  });
}

/** Returns whether a block is a plan of ocislim. It becomes the file plan.yaml of its page. */
export function isPlan(block: Block): boolean {
  return block.language === 'yaml' && block.text.startsWith('version: 1') && gatesFileOf(block) === null;
}

/** Returns the file that a block of gates becomes: ours, or dive's. Null for any other block. */
export function gatesFileOf({ language, text }: Block): string | null {
  if (language !== 'yaml') return null;
  if (text.startsWith('rules:')) return '.dive-ci';
  return text.startsWith('version: 1') && /^(?:check|warn):$/m.test(text) ? '.ocislim.yaml' : null;
}

/** Returns whether a block is run, or read by a command. */
export function isRun(block: Block): boolean {
  if (block.needs !== null || block.heldBy !== null) return false;
  return ['sh', 'ts'].includes(block.language) || isPlan(block) || gatesFileOf(block) !== null;
}
