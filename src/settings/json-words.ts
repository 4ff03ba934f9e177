/** Reads the JSON form of commands in Dockerfiles. Null for a text that is not a JSON array of texts. */
export function wordsOfJson(text: string): readonly string[] | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!Array.isArray(value)) return null;
  return value.every((word) => typeof word === 'string') ? value : null;
}

export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
