/** Values that stand in many places of a report. `schema.ts` and `schema-surface.ts` are made of them. */
import * as z from 'zod';

export const digest = z.string().regex(/^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/);
export const bytes = z.int().min(0);
export const count = z.int().min(0);
/** A difference, negative where a layer grew. */
export const difference = z.int();
export const layerNumber = z.int().min(1).describe('Layers are numbered from 1, the lowest, in the source.');

export const pathText = z
  .string()
  .describe(
    'From the root, without a leading slash: the exact name, or a readable stand-in where pathBase64 is given.',
  );
export const pathBase64 = z
  .base64()
  .exactOptional()
  .describe('The bytes of the path, where they are not UTF-8.');
