// Control characters could control the terminal. Direction marks and invisible characters change how a line reads. A line
// separator could start a line that a CI system takes for a command.
const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Returns foreign text for one line of a message: cut at `limit` characters, and unsafe characters as escapes. */
export function printable(text: string, limit = 200): string {
  const cut = text.length > limit ? `${text.slice(0, limit)}…` : text;
  return cut.replace(unsafe, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}
