/** Writes words of command lines that a person copies. Messages, findings and reports name commands by it. */

const plain = /^[\w@%+=:,./-][\w@%+=:,./~-]*$/;

/**
 * Characters that a terminal acts on or does not show, and those with which CI services begin a command in a log (`##[error]`,
 * `::error::`). `report/escape.ts` has the same for text.
 */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;
const command = /^ *::|#(?=#\w*\[)/;

/**
 * Quotes a word for a POSIX shell. One with something that a terminal or a CI log acts on is written as bash and zsh read it, `$'\x1b'`:
 * what is copied is harmless, and means the same.
 */
export function shellWord(word: string): string {
  if (!unprintable.test(word) && !command.test(word))
    return plain.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
  const written = Array.from(word, (character) => {
    if (character === '\\' || character === "'") return `\\${character}`;
    return unprintable.test(character) || character === '#' || character === ':'
      ? bytesOf(character)
      : character;
  });
  return `$'${written.join('')}'`;
}

function bytesOf(character: string): string {
  return Buffer.from(character, 'utf8').toString('hex').replaceAll(/../g, String.raw`\x$&`);
}
