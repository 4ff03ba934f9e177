/** Binary units of size, in bytes (IEC 80000-13). */
export const KiB = 1024;
export const MiB = 1024 * KiB;
export const GiB = 1024 * MiB;
