/**
 * Takes the line of a shell in a RUN instruction apart into commands, as far as words and signs tell. The gate about mistakes of
 * Dockerfiles asks what they do. Work is linear in the length of the line.
 */

/** One command of a line. */
export interface ShellCommand {
  /** The name of the program without its folder; '' for an empty command. */
  readonly program: string;
  /** The words behind it. */
  readonly words: readonly string[];
  readonly isSudo: boolean;
  /** The programs before it in its pipeline, the first first. */
  readonly before: readonly string[];
}

/** Words that stand before a command. */
const prefixes = new Set(['then', 'do', 'else', 'if', 'while', 'exec', 'time', '!', '{', 'command', 'env']);
/** Options of sudo that take a word. */
const sudoWords = new Set(['-u', '-g', '--user', '--group']);

/** Lists the commands of a line: those of pipelines, of `&&`, `||` and `;`, in brackets too. */
export function commandsOf(line: string): readonly ShellCommand[] {
  const commands: ShellCommand[] = [];
  let before: readonly string[] = [];
  for (const piece of line.replaceAll('\\\n', ' ').split(/(&&|\|\||[;&|()\n])/)) {
    if (/^(?:&&|\|\||[;&()\n])$/.test(piece)) before = [];
    else if (piece !== '|') {
      const command = commandOf(piece, before);
      if (command.program === '') continue;
      commands.push(command);
      before = [...before.slice(-3), command.program];
    }
  }
  return commands;
}

function commandOf(text: string, before: readonly string[]): ShellCommand {
  const words = text
    .split(/\s+/)
    .map((word) => word.replace(/^["']/, '').replace(/["']$/, ''))
    .filter((word) => word !== '');
  let at = 0;
  let isSudo = false;
  for (; at < words.length; at++) {
    const word = words[at] as string;
    if (word === 'sudo') isSudo = true;
    else if (isSudo && word.startsWith('-')) at += sudoWords.has(word) ? 1 : 0;
    else if (!prefixes.has(word) && !/^\w+=/.test(word)) break;
  }
  const name = words[at] ?? '';
  return { program: name.slice(name.lastIndexOf('/') + 1), words: words.slice(at + 1), isSudo, before };
}
