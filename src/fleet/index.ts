/**
 * The room `fleet`: many images of a registry as one piece of work. It knows which repositories and tags are meant, what a plan says of an image,
 * and what all of them together hold; it does no I/O. `jobs/fleet` reads the registry, and the commands write the plan.
 */
export { type FleetSource, nameBelow, parseFleetList, parseFleetSource } from './fleet-source.ts';
export { type ImageRow, formatImageRow } from './image-row.ts';
export { FleetTally, type FleetTotals } from './fleet-tally.ts';
export { chooseImages, isServiceTag, type Newness } from './choose-images.ts';
