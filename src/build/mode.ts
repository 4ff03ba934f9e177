/**
 * Permission bits of files that are added: what `--chmod` says, and what becomes of a file's own. The settings read the texts, and
 * the heads of entries are made with the result.
 */
import { OcislimError } from '../errors.ts';
import type { ModeChange, ModeClause } from '../image/addition.ts';

const clausePattern = /^([ugoa]*)([+=-])([rwxXst]*)$/;

/** Reads an octal mode (`755`, `0644`) or clauses of chmod (`u=rwX,go=rX`). @throws USAGE naming `where` */
export function parseMode(text: string, where: string): ModeChange {
  if (/^0?[0-7]{3,4}$/.test(text)) return { kind: 'octal', mode: Number.parseInt(text, 8) };
  const clauses = text.split(',').map((clause): ModeClause => {
    const [, classes = '', operation, permissions = ''] = clausePattern.exec(clause) ?? [];
    if (operation === undefined)
      throw new OcislimError('USAGE', `${where} takes a mode, not ${JSON.stringify(text)}`, {
        advice: 'Write three or four octal digits (755), or clauses of chmod (u=rwX,go=rX).',
      });
    return {
      classes: classes === '' || classes.includes('a') ? 'ugo' : classes,
      operation: operation as ModeClause['operation'],
      permissions,
    };
  });
  return { kind: 'symbolic', clauses };
}

/** What the bits of a class are shifted by. */
const shifts: Readonly<Record<string, number>> = { u: 6, g: 3, o: 0 };
const bits: Readonly<Record<string, number>> = { r: 4, w: 2, x: 1 };

/** Returns the permission bits of a file after a change (POSIX chmod; without a umask). */
export function changeMode(mode: number, change: ModeChange | null, isDirectory: boolean): number {
  if (change === null) return mode;
  if (change.kind === 'octal') return change.mode;
  return change.clauses.reduce((result, clause) => applyClause(result, clause, isDirectory), mode);
}

function applyClause(
  mode: number,
  { classes, operation, permissions }: ModeClause,
  isDirectory: boolean,
): number {
  const runs = isDirectory || (mode & 0o111) !== 0;
  let named = 0;
  let all = 0;
  for (const letter of classes) {
    const shift = shifts[letter] ?? 0;
    const special = letter === 'u' ? 0o4000 : letter === 'g' ? 0o2000 : 0;
    all |= (7 << shift) | special;
    for (const permission of permissions) {
      if (permission === 's') named |= special;
      else if (permission === 'X') named |= runs ? 1 << shift : 0;
      else if (permission !== 't') named |= (bits[permission] ?? 0) << shift;
    }
  }
  if (permissions.includes('t')) named |= 0o1000;
  switch (operation) {
    case '+':
      return mode | named;
    case '-':
      return mode & ~named;
    case '=':
      return (mode & ~all) | named;
  }
}
