/** Rights as a member of the header of a trace file. `trace-file.ts` writes and reads it. */
import { isObject, type JsonObject, memberOf } from '../bytes/json-value.ts';
import { isCapability, isSocketKind, type Rights } from './rights.ts';
import type { TraceSink } from './trace-sink.ts';

/** Returns the member `rights`, in which all is sorted; nothing where there is nothing to say. */
export function rightsFields({ isComplete, sockets, capabilities }: Rights): JsonObject {
  if (!isComplete && sockets.size === 0 && capabilities.size === 0) return {};
  const sorted = [...capabilities].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    rights: {
      complete: isComplete,
      sockets: [...sockets].sort(),
      capabilities: Object.fromEntries(sorted.map(([capability, calls]) => [capability, [...calls].sort()])),
    },
  };
}

/** Gives the sink what a member `rights` says. Words that are not known here are left out. */
export function readRights(value: unknown, sink: TraceSink): void {
  if (!isObject(value)) return;
  sink.hasAllRights = memberOf(value, 'complete') === true;
  const sockets = memberOf(value, 'sockets');
  if (Array.isArray(sockets))
    for (const kind of sockets as readonly unknown[])
      if (typeof kind === 'string' && isSocketKind(kind)) sink.socket(kind);
  const needed = memberOf(value, 'capabilities');
  if (!isObject(needed)) return;
  for (const [capability, calls] of Object.entries(needed)) {
    if (!isCapability(capability) || !Array.isArray(calls)) continue;
    for (const call of calls as readonly unknown[])
      if (typeof call === 'string' && /^\w{1,40}$/.test(call)) sink.capability(capability, call);
  }
}
