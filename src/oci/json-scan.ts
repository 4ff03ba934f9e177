/** What is wrong with the structure of a JSON text, which `JSON.parse` passes over; null when nothing is. */
export type JsonFlaw =
  /** An object has a key twice: programs disagree about which one counts. */
  | { readonly kind: 'repeated'; readonly key: string }
  /** More arrays and objects in each other than anybody needs. */
  | { readonly kind: 'deep' };

/** Far more than any document of the specifications has, far less than a recursive reader can bear. */
const deepest = 100;

/** Looks through a text that is valid JSON, in one pass. */
export function findFlaw(text: string): JsonFlaw | null {
  /** The keys so far of each object that is open; null for an array. */
  const open: (Set<string> | null)[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '{' || character === '[') {
      if (open.length >= deepest) return { kind: 'deep' };
      open.push(character === '{' ? new Set() : null);
    } else if (character === '}' || character === ']') {
      open.pop();
    } else if (character === '"') {
      const end = endOfString(text, at);
      const keys = open.at(-1) ?? null;
      if (keys !== null && text[afterSpace(text, end + 1)] === ':') {
        const key = JSON.parse(text.slice(at, end + 1)) as string;
        if (keys.has(key)) return { kind: 'repeated', key };
        keys.add(key);
      }
      at = end;
    }
  }
  return null;
}

/** Where the quote is that ends the string which begins at `at`. */
function endOfString(text: string, at: number): number {
  let end = at;
  for (;;) {
    end = text.indexOf('"', end + 1);
    let backslashes = 0;
    while (text[end - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return end;
  }
}

function afterSpace(text: string, from: number): number {
  let at = from;
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\r' || text[at] === '\t') at += 1;
  return at;
}
