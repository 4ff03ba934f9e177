/**
 * What a test opens and does not close itself: registries, sources, targets, proxies. Importing this file closes it after
 * each test, the last first.
 */
import { afterEach } from 'vitest';
import { type FakeOptions, FakeRegistry } from './fake-registry.ts';

interface Closing {
  close(): Promise<unknown> | void;
}

const opened: Closing[] = [];

afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

/** Closes something after the test, and returns it. */
export function closing<T extends Closing>(thing: T): T {
  opened.push(thing);
  return thing;
}

/** Forgets something that the test closes itself. */
export function notClosing(thing: Closing): void {
  opened.splice(opened.indexOf(thing), 1);
}

/** Starts a fake registry, which is closed after the test. */
export async function startRegistry(options: Partial<FakeOptions> = {}): Promise<FakeRegistry> {
  return closing(await FakeRegistry.start(options));
}
