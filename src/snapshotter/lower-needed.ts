/** Thrown where a layer turns out to need what lies below it, and that was not given. Nothing is wrong with it. */
export class LowerNeeded extends Error {}
