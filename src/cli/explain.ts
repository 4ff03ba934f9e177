/** Tells an error to the person at the terminal, and chooses the exit status. Names from images are escaped first. */
import { errorCodes, OcislimError } from '../errors.ts';

/** Says on stderr what went wrong in one line, and what to do in another. Returns the exit status. */
export async function explain(thrown: unknown, args: readonly string[]): Promise<number> {
  const { escapeText } = await import('../report/escape.ts');
  const error = firstOf(thrown);
  if (error instanceof OcislimError) {
    // The items of a list keep their lines.
    const [first = '', ...items] = error.message.split('\n  - ').map(escapeText);
    const list = items.map((item) => `\n  - ${item}`).join('');
    const code = ` [${error.code}]`;
    // Behind the sentence, unless its end is the list.
    process.stderr.write(
      `ocislim: ${first.endsWith(':') ? `${first}${list}${code}` : `${first}${code}${list}`}\n`,
    );
    if (error.advice !== undefined) process.stderr.write(`  ${escapeText(error.advice)}\n`);
    return errorCodes[error.code].exit;
  }
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const escaped = detail.split('\n').map(escapeText).join('\n');
  const line = escapeText(args[0] ?? '');
  process.stderr.write(
    `ocislim: a bug in ocislim, please report it with the command line (${line} …) and this:\n${escaped}\n`,
  );
  return errorCodes.INTERNAL.exit;
}

/** The first of several errors: the later ones came from closing what was open. */
function firstOf(thrown: unknown): unknown {
  return thrown instanceof SuppressedError ? firstOf(thrown.suppressed) : thrown;
}
