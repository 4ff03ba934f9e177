/** What is wrong with a binary file. Its readers throw it, and `rpm.ts` catches it: it never leaves this folder. */
export class Damage extends Error {}
