/** Hashes a name (FNV-1a, 32 bits), so that it has the same number in every version. */
export function fnv1a(name: string): number {
  let hash = 0x81_1c_9d_c5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01_00_01_93);
  return hash >>> 0;
}
