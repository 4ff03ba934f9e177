/** Where a breach is, for services that show findings beside files: the image, as a relative address of itself. */
import { createHash } from 'node:crypto';
import type { Told } from './judgement.ts';

/** Returns a reference as a relative URI (RFC 3986), which services take for the name of a file: `registry.example/app%3A1`. */
export function addressOf(image: string): string {
  return image
    .split('/')
    .map((part) => encodeURIComponent(part).replaceAll(/^\.+$/g, '%2E'))
    .join('/');
}

/** Returns a name for a breach that stays while it is the same one, whatever its numbers are. */
export function fingerprint({ gate, breach }: Told, image: string): string {
  const stable = [image, gate.id, breach.message.replaceAll(/\d+(?:[.,]\d+)*/g, '0')];
  return createHash('sha256').update(stable.join('\0')).digest('hex');
}
