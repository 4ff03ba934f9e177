// Control characters could drive the terminal; direction marks and invisible characters make a line read as what it is
// not; a line separator could start a line that a CI system takes for a command.
const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Text of a stranger, fit for one line of a message: unsafe characters written out, cut at `limit` characters. */
export function printable(text: string, limit = 200): string {
  const cut = text.length > limit ? `${text.slice(0, limit)}…` : text;
  return cut.replace(unsafe, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}
