/** Thrown by readers of binary formats: what is wrong, to go on after "it cannot be read, since". Never leaves this folder. */
export class Damage extends Error {}
