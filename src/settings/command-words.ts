import { OcislimError } from '../errors.ts';

/**
 * Splits a command into words as a shell would: at spaces, except within quotes and after backslashes. Nothing is expanded. @throws USAGE for a quote that is not closed, or no word at all
 */
export function parseCommand(text: string): readonly string[] {
  const words: string[] = [];
  let word: string | null = null;
  let quote: '"' | "'" | null = null;
  for (let at = 0; at < text.length; at++) {
    const char = text[at] as string;
    if (quote === null && /\s/.test(char)) {
      if (word !== null) words.push(word);
      word = null;
    } else if (quote === null && (char === '"' || char === "'")) {
      quote = char;
      word ??= '';
    } else if (char === quote) {
      quote = null;
    } else {
      const escapes = char === '\\' && quote !== "'" && at + 1 < text.length;
      word = (word ?? '') + (escapes ? text[++at] : char);
    }
  }
  if (quote !== null) throw new OcislimError('USAGE', `a quote is not closed: ${JSON.stringify(text)}`);
  if (word !== null) words.push(word);
  if (words.length === 0) throw new OcislimError('USAGE', 'the command is empty');
  return words;
}
