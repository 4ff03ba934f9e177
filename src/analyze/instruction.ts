/**
 * Reads the instruction that made a layer out of its history row. Builders write rows in their own manners; reports, `history` and
 * findings show the Dockerfile's words.
 */
import type { HistoryRow } from '../oci/image-config.ts';

const keywords = [
  'ADD',
  'ARG',
  'CMD',
  'COPY',
  'ENTRYPOINT',
  'ENV',
  'EXPOSE',
  'FROM',
  'HEALTHCHECK',
  'LABEL',
  'MAINTAINER',
  'ONBUILD',
  'RUN',
  'SHELL',
  'STOPSIGNAL',
  'USER',
  'VOLUME',
  'WORKDIR',
] as const;
export type Keyword = (typeof keywords)[number];

/** One instruction of a Dockerfile, as far as its row tells. */
export interface Instruction {
  /** Null for rows that no builder of Dockerfiles wrote. */
  readonly keyword: Keyword | null;
  /** The instruction with its keyword, without the builder's additions; of other rows the text as it is. May have several lines. */
  readonly text: string;
  /** Build arguments that the row repeats, with their values. */
  readonly buildArguments: readonly BuildArgument[];
}

export interface BuildArgument {
  readonly name: string;
  readonly value: string;
}

/** The shell before the words of RUN: `/bin/sh -c `, `/bin/bash -o pipefail -c `, `cmd /S /C `, `powershell -Command `. */
const shell =
  /^(?:\/(?:usr\/)?bin\/\w+(?: -[\w-]+| pipefail)*? -\w*c |cmd \/S \/C |powershell(?: -\w+)*? -Command )/;
/** Docker's builder before BuildKit marks instructions that run nothing (buildah does the same). */
const nop = /^#\(nop\)\s*/;
const buildkit = / # buildkit$/;
/** `COPY file:HASH in /x`: the classic builder's names of what it copies. */
const hashes = /\b(file|dir|multi):([0-9a-f]{6})[0-9a-f]{58}\b/g;
/** The longest row that is taken apart. */
const longest = 65_536;

/** Reads `created_by` of a history row. */
export function readInstruction(createdBy: string): Instruction {
  const row = createdBy.slice(0, longest).replace(buildkit, '').trim();
  const run = /^RUN\s+/.exec(row);
  const { buildArguments, rest } = takeArguments(run === null ? row : row.slice(run[0].length));
  const found = shell.exec(rest);
  if (found === null) {
    if (run !== null) return { keyword: 'RUN', text: `RUN ${rest.trim()}`, buildArguments };
    const keyword = keywordOf(rest);
    return { keyword, text: keyword === null ? rest : tidy(rest), buildArguments };
  }
  const words = rest.slice(found[0].length).trimStart();
  if (run === null && nop.test(words)) {
    const text = tidy(words.replace(nop, ''));
    return { keyword: keywordOf(text), text, buildArguments };
  }
  return { keyword: 'RUN', text: `RUN ${words}`.trimEnd(), buildArguments };
}

/** Returns an instruction on one line of at most so many characters, with an ellipsis where something is left out. */
export function shortInstruction(text: string, characters: number): string {
  const line = text.replace(/\\\n/g, ' ').replace(/\s+/g, ' ').trim();
  const all = Array.from(line);
  return all.length <= characters ? line : `${all.slice(0, Math.max(characters - 1, 0)).join('')}…`;
}

/**
 * Returns the history row of each layer, the lowest first; null where the history has no row for it. Rows belong to layers from the
 * lowest up, as BuildKit reads a history of the wrong length.
 */
export function rowsOfLayers(history: readonly HistoryRow[], layers: number): readonly (HistoryRow | null)[] {
  const filled = history.filter(({ emptyLayer }) => !emptyLayer);
  return Array.from({ length: layers }, (_, i) => filled[i] ?? null);
}

function keywordOf(text: string): Keyword | null {
  const word = /^[A-Z]+(?=\s|$)/.exec(text)?.[0];
  return keywords.find((keyword) => keyword === word) ?? null;
}

function tidy(text: string): string {
  return text.replace(hashes, '$1:$2…').trim();
}

/** Takes the build arguments off the front: `|2 A=1 B=two words /bin/sh -c make`. */
function takeArguments(row: string): { buildArguments: readonly BuildArgument[]; rest: string } {
  const head = /^\|(\d{1,3}) /.exec(row);
  if (head === null) return { buildArguments: [], rest: row };
  const count = Number(head[1]);
  const buildArguments: BuildArgument[] = [];
  let rest = row.slice(head[0].length);
  for (let i = 0; i < count; i++) {
    const name = /^[\w.-]+(?==)/.exec(rest)?.[0];
    if (name === undefined) break;
    const value = rest.slice(name.length + 1);
    // A value may have blanks: it ends before the next argument, the last one before the shell.
    const end =
      i < count - 1
        ? value.search(/ [\w.-]+=/)
        : value.search(/ (?:\/(?:usr\/)?bin\/\w+ |cmd \/S|powershell )/);
    buildArguments.push({ name, value: end < 0 ? value : value.slice(0, end) });
    rest = end < 0 ? '' : value.slice(end + 1);
  }
  return { buildArguments, rest };
}
