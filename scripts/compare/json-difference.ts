/** Says of each member in which two JSON values differ where it is, what it was and what it is. */
export function compareJson(before: unknown, after: unknown, at: string): string[] {
  if (isObject(before) && isObject(after) && Array.isArray(before) === Array.isArray(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    const inner = keys.flatMap((key) => compareJson(before[key], after[key], pathTo(at, key, before)));
    const moved = inner.length === 0 && Object.keys(before).join() !== Object.keys(after).join();
    return moved ? [`${at}: the same members in another order`] : inner;
  }
  return Object.is(before, after) ? [] : [`${at}: ${show(before)} → ${show(after)}`];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function pathTo(at: string, key: string, parent: object): string {
  if (Array.isArray(parent)) return `${at}[${key}]`;
  return /^\w+$/.test(key) ? `${at}.${key}` : `${at}[${JSON.stringify(key)}]`;
}

function show(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > 160 ? `${text.slice(0, 160)}…` : text;
}
